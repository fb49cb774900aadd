"""The only place that reads the environment: the variables of the server's settings, and those of commands."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

PREFIX = "LOCKGATE_"
CONFIG = "LOCKGATE_CONFIG"
CONFIG_FILE = "lockgate.toml"
CLIENT_VARIABLES = {
    "LOCKGATE_CONFIG": "the file with settings, instead of lockgate.toml in the working folder",
    "LOCKGATE_URL": "the server that commands talk to",
    "LOCKGATE_TOKEN": "the key that commands send",
    "LOCKGATE_CONTEXT": "the context that commands use, instead of the current one",
}
"""Variables with our prefix that are no settings of the server."""


class ClientSettings(Struct, frozen=True, kw_only=True):
    """What a command that talks to a server takes from the environment."""

    url: str = ""
    token: str = ""
    context: str = ""
    contexts_file: Path


def read_environment() -> Mapping[str, str]:
    """The variables with our prefix."""
    return {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}


def read_client_environment() -> ClientSettings:
    """The server and key to use, and where contexts are kept."""
    home = Path.home() / ("Library/Application Support" if sys.platform == "darwin" else ".config")
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or home)
    return ClientSettings(
        url=os.environ.get("LOCKGATE_URL", ""),
        token=os.environ.get("LOCKGATE_TOKEN", ""),
        context=os.environ.get("LOCKGATE_CONTEXT", ""),
        contexts_file=folder / "lockgate" / "contexts.toml",
    )
