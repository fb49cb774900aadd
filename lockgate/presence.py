"""Whether a process of ours works on a data directory: each holds a shared lock on one file there while it lives.

The kernel drops the lock with the process, however it went.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lockgate.errors import StillRunning

LOCK = "lockgate.lock"


@contextmanager
def present(data_directory: Path) -> Iterator[None]:
    """Be counted as working on the directory. Raises: StillRunning while somebody is alone there."""
    with _locked(data_directory, fcntl.LOCK_SH):
        yield


@contextmanager
def alone(data_directory: Path) -> Iterator[None]:
    """Be the only one who works on the directory. Raises: StillRunning."""
    with _locked(data_directory, fcntl.LOCK_EX):
        yield


@contextmanager
def _locked(data_directory: Path, how: int) -> Iterator[None]:
    data_directory.mkdir(parents=True, exist_ok=True)
    with (data_directory / LOCK).open("a") as file:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StillRunning from error
        yield
