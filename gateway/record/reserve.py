"""The disk's reserve: a declared number of bytes that the traffic log leaves free."""

import os
from collections.abc import Callable
from pathlib import Path


def free_bytes(path: Path) -> int:
    """The bytes that this process may still write on the file system of `path`. Raises: OSError."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


class DiskReserve:
    """Whether the disk has come down to its reserve, as of the last look; looking is not free, asking is."""

    def __init__(self, path: Path, reserve_bytes: int, probe: Callable[[Path], int] = free_bytes) -> None:
        self.path = path
        self.reserve_bytes = reserve_bytes
        self.free_bytes = reserve_bytes
        self._probe = probe

    @property
    def reached(self) -> bool:
        """Whether fewer bytes than the reserve were free."""
        return self.free_bytes < self.reserve_bytes

    def look(self) -> None:
        """Ask the file system again. Raises: OSError."""
        self.free_bytes = self._probe(self.path)

    def exhausted(self) -> None:
        """A write has just found the disk full: count as reached until the next look."""
        self.free_bytes = -1
