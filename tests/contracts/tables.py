"""What the code has, as rows for the documentation: errors, settings, commands, routes, metrics and flags."""

import importlib
import pkgutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
from litestar import Litestar
from litestar.routes import BaseRoute

PACKAGES = ("flags", "gateway", "review", "lockgate")
TREES = {"flags": "FlagsError", "gateway": "GatewayError", "review": "ReviewError", "lockgate": "CommandError"}


def import_everything() -> None:
    """Import every module, so that every subclass is known; but not the migrations, which only Alembic can run."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not module.name.endswith("__main__") and ".migrations." not in module.name:
                importlib.import_module(module.name)


def error_trees() -> Iterator[type[Exception]]:
    """The root of each package's tree of errors."""
    for package, name in TREES.items():
        if find_spec(f"{package}.errors"):
            yield getattr(importlib.import_module(f"{package}.errors"), name)


def descendants(kind: type[Exception]) -> Iterator[type[Exception]]:
    """The class and everything below it, parents first."""
    yield kind
    for child in kind.__subclasses__():
        yield from descendants(child)


def every_error() -> list[type[Exception]]:
    """Every error of the product, each once."""
    import_everything()
    return list(dict.fromkeys(kind for tree in error_trees() for kind in descendants(tree)))


def sentence(kind: object) -> str:
    """The docstring on one line."""
    return " ".join((kind.__doc__ or "").split())


def errors() -> list[list[str]]:
    """One row for each code: its status (or a command's exit code) and what it says."""
    rows = set()
    for kind in every_error():
        exit_code = getattr(kind, "exit_code", None)
        status = f"exit {exit_code}" if exit_code is not None else str(getattr(kind, "status", ""))
        rows.add((f"`{getattr(kind, 'code', '')}`", status, sentence(kind)))
    return [list(row) for row in sorted(rows)]


def settings() -> list[list[str]]:
    """One row for each setting: name, variable, what it expects, default, meaning."""
    from lockgate.sources import options

    return [
        [
            f"`{option.name}`",
            f"`{option.variable}`",
            option.expects,
            f"`{option.default}`" if option.default else "",
            option.description + (" A secret: also as a file." if option.secret else ""),
        ]
        for option in options()
    ]


def metrics() -> list[list[str]]:
    """One row for each metric: name, kind, labels, meaning."""
    from gateway.metrics import INDEX

    import_everything()
    return [
        [f"`{family.name}`", family.kind, ", ".join(f"`{label}`" for label in family.labels), family.help]
        for family in sorted(INDEX.values(), key=lambda family: family.name)
    ]


def commands() -> list[list[str]]:
    """One row for each command that can be typed: its words and what it does."""
    from lockgate.main import root

    return [[f"`{' '.join(words)}`", first_line(command)] for words, command in leaves(root, ("lockgate",))]


def leaves(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below this one that is no group, with the words that call it."""
    if not isinstance(command, click.Group):
        yield (*words, *(argument_word(each) for each in command.params if isinstance(each, click.Argument))), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        try:
            child = command.get_command(context, name)
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith("lockgate."):
                raise
            continue
        if child is not None and not child.hidden:
            yield from leaves(child, (*words, name))


def argument_word(argument: click.Argument) -> str:
    """The argument as a usage line shows it."""
    word = argument.human_readable_name.upper() + ("…" if argument.nargs == -1 else "")
    return word if argument.required else f"[{word}]"


def first_line(command: click.Command) -> str:
    """The first sentence of a command's help."""
    paragraph = " ".join((command.help or "").split("\n\n", 1)[0].split())
    return paragraph.split(". ", 1)[0].rstrip(".") + "."


def flags() -> list[list[str]]:
    """One row for each flag of a model, and what both of its sides mean."""
    from flags.names import Kind

    return [[f"`<model>.{kind.value}`", kind.when_on, kind.when_off] for kind in Kind]


def routes() -> list[list[str]]:
    """One row for each route of the console process: verb and path, what it does, the permission it needs."""
    rows = [row for route in console_app().routes for row in operations(route)]
    return sorted(rows, key=lambda row: row[0].strip("`").split(" ")[::-1])


def console_app() -> Litestar:
    """The console process's application over parts that nothing is asked of."""
    from gateway.store.ledger import Ledger
    from lockgate.processes.console import parts_of
    from lockgate.settings import Settings
    from review.api.app import create_router
    from review.api.handlers import HANDLERS

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_directory=Path(folder))
        return create_router(parts_of(settings, Ledger.open(settings.ledger_url)), HANDLERS)


def operations(route: BaseRoute) -> Iterator[list[str]]:
    """The operations of one path."""
    for handler in getattr(route, "route_handlers", ()):
        if not handler.resolve_include_in_schema():
            continue
        for verb in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
            summary = handler.summary or sentence(handler.fn).split(". ", 1)[0].rstrip(".")
            yield [f"`{verb} {route.path_format}`", summary, str(handler.opt.get("permission", ""))]


def protocol() -> list[list[str]]:
    """One row for each route of the gateway: verb and path, and what it does."""
    from gateway.http.beside import HANDLERS, create_protocol

    unasked: Any = SimpleNamespace(live=SimpleNamespace(version="0"), holds=None, api_body_max_bytes=1)
    rows = [row[:2] for route in create_protocol(unasked, HANDLERS).routes for row in operations(route)]
    return sorted(rows, key=lambda row: row[0].strip("`").split(" ")[::-1])


def operator_keys() -> list[list[str]]:
    """One row for each key of the operations page."""
    from review.console.acts import page_keys

    return [[f"`{key.key}`", key.title, key.help] for key in page_keys()]


def release_keys() -> list[list[str]]:
    """One row for each key of a release's page."""
    from review.console.acts import release_keys as page_keys

    return [[f"`{key.key}`", key.title, key.help] for key in page_keys()]


def keys() -> list[list[str]]:
    """One row for each key of the lane that is not a class's own."""
    from review.console.keys import APPROVE, BOTH, COMMANDS, CORRECT, FIRST, NEITHER, SECOND

    return [
        [f"`{key.key}`", key.title, key.help] for key in (APPROVE, CORRECT, FIRST, SECOND, BOTH, NEITHER, *COMMANDS)
    ]
