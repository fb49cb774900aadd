"""What the code has, as rows for the documentation: errors, settings, commands, routes, metrics and flags."""

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.util import find_spec

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


def sentence(kind: type) -> str:
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
