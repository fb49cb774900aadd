"""The folder that the demo keeps to itself, and the mark in it that says that one is playing."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from demo.errors import AlreadyPlaying

HOME = Path(__file__).parents[1] / ".demo"
LOCK_NAME = "playing.json"


class Playing(msgspec.Struct, frozen=True, kw_only=True):
    """Who plays and where to look; `url` is empty until the server answers."""

    pid: int
    url: str = ""


@contextmanager
def only_one(home: Path) -> Iterator[Callable[[str], None]]:
    """Yields a function that tells later comers where to look; raises `AlreadyPlaying` when one plays already.

    The kernel drops the lock with the process, however it ends, so that a file left behind bars nobody.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK_NAME).open("a+b") as file:
        _lock(file)
        _write(file, Playing(pid=os.getpid()))
        yield lambda url: _write(file, Playing(pid=os.getpid(), url=url))
        file.truncate(0)


def _lock(file: IO[bytes]) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        other = _read(file)
        raise AlreadyPlaying(
            pid=other.pid or "unknown", url=other.url or "its link as soon as it prints one"
        ) from error


def _read(file: IO[bytes]) -> Playing:
    file.seek(0)
    try:
        return msgspec.json.decode(file.read(), type=Playing)
    except msgspec.DecodeError:
        # The other has the lock and has not written yet.
        return Playing(pid=0)


def _write(file: IO[bytes], playing: Playing) -> None:
    file.seek(0)
    file.truncate()
    file.write(msgspec.json.encode(playing))
    file.flush()
