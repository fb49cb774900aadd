"""Segments: append-only files of one process each, owned by an flock for as long as the process may write.

A segment is made under a name that readers ignore and renamed once it is locked and has its header, so whoever sees
`*.seg` without an owner sees a segment that nobody will ever write again: names are never used twice.
"""

import errno
import fcntl
import os
import re
from pathlib import Path
from typing import Self

from gateway.record.frames import HEADER, HEADER_BYTES

SUFFIX = ".seg"
OPENING_SUFFIX = ".opening"
PROCESS_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
_MODE = 0o640


def segment_name(process: str, writer: str, number: int) -> str:
    """The name of a process life's n-th segment, such as `gateway-1.0199….000001`; sorts in the order of writing."""
    return f"{process}.{writer}.{number:06d}"


def process_of(segment: str) -> str:
    """The name of the process that wrote a segment."""
    return segment.partition(".")[0]


class SegmentFile:
    """The segment that this process appends to. Not for several threads, save `sync` beside `write`."""

    def __init__(self, directory: Path, name: str, fd: int) -> None:
        self.name = name
        self.path = directory / (name + SUFFIX)
        self.size = HEADER_BYTES
        self._fd = fd

    @classmethod
    def create(cls, directory: Path, name: str) -> Self:
        """A fresh segment, locked and empty. Raises: OSError."""
        opening = directory / (name + OPENING_SUFFIX)
        fd = os.open(opening, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write_header(fd)
            opening.rename(directory / (name + SUFFIX))
        except BaseException:
            os.close(fd)
            opening.unlink(missing_ok=True)
            raise
        return cls(directory, name, fd)

    def write(self, frames: bytes | bytearray) -> int:
        """Append with one write; returns how many bytes the file took, fewer when the disk is full. Raises: OSError."""
        written = os.write(self._fd, frames)
        self.size += written
        return written

    def cut(self, size: int) -> None:
        """Take back the bytes behind `size`, part of a frame that no reader has taken for whole. Raises: OSError."""
        os.ftruncate(self._fd, size)
        self.size = size

    def sync(self) -> None:
        """Make all that was written survive a loss of power. Raises: OSError."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Give the segment up; from now on it may be sealed."""
        os.close(self._fd)

    def finish(self) -> OSError | None:
        """Sync for the last time and close; returns what was wrong with the sync."""
        try:
            self.sync()
        except OSError as error:
            return error
        finally:
            self.close()
        return None


def _write_header(fd: int) -> None:
    if os.write(fd, HEADER) != HEADER_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def sync_directory(directory: Path) -> None:
    """Make the names in a directory survive a loss of power. Raises: OSError."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Ownership:
    """The lock of a segment whose process is gone; a context manager that gives the lock back."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """The ownership of a segment, or None while its process lives or when it is gone."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        return cls(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        os.close(self._fd)


def open_segments(directory: Path) -> tuple[Path, ...]:
    """The segments below a directory that are not sealed away, each writer's in the order of writing."""
    return tuple(sorted(directory.glob("*" + SUFFIX)))
