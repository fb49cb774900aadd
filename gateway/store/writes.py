"""Writes to a file and to those beside it whose names begin with its own, as the kernel tells of them (inotify).

What is written through a mapping of memory is not told, nor what another machine writes.
"""

import asyncio
import ctypes
import os
import struct
import sys
from pathlib import Path
from typing import Self

IN_MODIFY = 0x002
IN_CREATE = 0x100
_EVENT = struct.Struct("iIII")
_READ_BYTES = 16 << 10


class Writes:
    """The kernel's line of writes that nobody has heard of yet. Not for several loops."""

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor = descriptor
        self._name = name.encode()

    @classmethod
    def to(cls, path: Path) -> Self | None:
        """The writes from now on; None where the kernel does not tell of them."""
        if sys.platform != "linux":
            return None
        libc = ctypes.CDLL(None)
        descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if descriptor < 0:
            return None
        if libc.inotify_add_watch(descriptor, os.fsencode(path.parent), IN_MODIFY | IN_CREATE) < 0:
            os.close(descriptor)
            return None
        return cls(descriptor, path.name)

    async def come(self, timeout_s: float) -> bool:
        """True as soon as something was written since it was said last; False after so many seconds without."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(self._descriptor, readable.set)
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    await readable.wait()
                    readable.clear()
                    if self._take():
                        return True
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(self._descriptor)

    def close(self) -> None:
        """Hear of no more writes."""
        os.close(self._descriptor)

    def _take(self) -> bool:
        """Whether one of those in the line is ours; they are heard of then. A line that ran over counts as ours."""
        try:
            line = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return False
        at, ours = 0, False
        while at < len(line):
            watch, _, _, length = _EVENT.unpack_from(line, at)
            at += _EVENT.size + length
            ours = ours or watch < 0 or line.startswith(self._name, at - length)
        return ours
