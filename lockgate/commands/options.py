"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from lockgate.sources import Loaded, load_settings

Command = TypeVar("Command", bound=Callable[..., Any])


def server_options(command: Command) -> Command:
    """Options that set a setting; the others come from file and environment."""
    for option in reversed(
        (
            click.option("--data-directory", type=click.Path(path_type=Path), help="Where everything is kept."),
            click.option("--http-address", metavar="HOST:PORT", help="The listener for callers and the console."),
            click.option("--metrics-address", metavar="HOST:PORT", help="The listener for metrics and health."),
        )
    ):
        command = option(command)
    return command


def settled(**given: object) -> Loaded:
    """The settings, with what the command line says on top. Raises: UnknownSetting, WrongSetting, UnreadableFile."""
    return load_settings({name: str(value) for name, value in given.items() if value is not None})
