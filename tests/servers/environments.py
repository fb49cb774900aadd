"""Environments of their own for stock clients and servers, which pin other versions of what the product uses."""

import contextlib
import fcntl
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.servers.process import MissingPart

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"


def client_python(name: str) -> Path:
    """The Python of an environment that holds the client `name` (`triton` or `kserve`)."""
    return environment(f"client-{name}") / "bin" / "python"


def environment(name: str) -> Path:
    """The folder of an environment made from the lock of this name, once."""
    lock = ROOT / "requirements" / f"{name}.txt"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = TOOLS / f"{name}-{digest}"
    with alone(TOOLS / f"{name}.lock"):
        if not (folder / "complete").exists():
            install(folder, lock)
            (folder / "complete").touch()
    return folder


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock between processes: test workers ask for the same environment at the same time."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(folder: Path, lock: Path) -> None:
    """Make the environment; MissingPart with pip's last words when a package cannot be had."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "--no-deps", "--no-compile", "--require-hashes", "--requirement", str(lock)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        message = f"{lock.name} could not be installed; check the network and pip's settings: {done.stderr[-500:]}"
        raise MissingPart(message)
