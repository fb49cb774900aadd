"""Whether the person sits before this machine, and what to type when they do not."""

import os
import socket
import sys
import webbrowser
from collections.abc import Mapping


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Whether a browser that is opened here would be seen by whoever typed the command. Pure."""
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return False
    return platform == "darwin" or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def tunnel(environment: Mapping[str, str], ports: tuple[int, ...], host: str) -> str:
    """The command that brings these ports to the machine on which the person sits. Pure."""
    client_and_server = environment.get("SSH_CONNECTION", "").split()
    address = client_and_server[2] if len(client_and_server) == 4 else host
    user = environment.get("USER") or environment.get("LOGNAME") or "USER"
    return " ".join(["ssh", *(f"-L {port}:127.0.0.1:{port}" for port in ports), f"{user}@{address}"])


def tunnel_from_here(ports: tuple[int, ...]) -> str | None:
    """The command to type on one's own machine; none where a browser can be opened here."""
    if has_display(os.environ, sys.platform):
        return None
    return tunnel(os.environ, ports, socket.gethostname())


def open_browser(url: str) -> bool:
    """Whether a browser was opened: only where somebody sits before this machine and a terminal."""
    return sys.stdout.isatty() and has_display(os.environ, sys.platform) and webbrowser.open(url)
