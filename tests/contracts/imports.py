"""Holds the contracts of `.importlinter` for every module that exists: `python -m tests.contracts.imports`.

A contract may name a module before it is written; it takes effect when the module is there.
"""

import configparser
import sys
import tempfile
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]
OURS = ("lockgate", "review", "gateway", "flags", "demo", "loadtests")


def exists(module: str) -> bool:
    """Whether the module is one of ours and in the tree, or somebody else's."""
    if module.split(".")[0] not in OURS:
        return True
    place = ROOT.joinpath(*module.split("."))
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


def present(contracts: configparser.ConfigParser) -> list[str]:
    """Drop the modules that are not written yet from the contracts; their names."""
    awaited = []
    for section in contracts.sections():
        for key in ("root_packages", "source_modules", "layers", "forbidden_modules"):
            names = contracts.get(section, key, fallback="").split()
            awaited += [name for name in names if not exists(name)]
            if names:
                contracts[section][key] = "\n" + "\n".join(name for name in names if exists(name))
    return sorted(set(awaited))


def main() -> int:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    awaited = present(contracts)
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
        contracts.write(file)
        file.flush()
        status: int = lint_imports(config_filename=file.name)
    if awaited:
        print(f"not written yet: {', '.join(awaited)}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
