"""The child process that turns segments into Parquet, one after the other.

To start one takes as long as some ten thousand entries.
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from review.errors import ReviewError
from review.traffic.parts import Order, PartsReport

COMPLAINT_MAX_CHARS = 2000


class SegmentUnsealable(ReviewError):
    """Segment '{segment}' could not be turned into Parquet; it stays as it is."""

    code = "segment-unsealable"


class PartsChild:
    """A child that is started for the first segment, and anew after one that ended it.

    A context manager that leaves no child behind.
    """

    def __init__(self, traffic: Path) -> None:
        self._traffic = traffic
        self._child: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        if self._child is not None and self._child.returncode is None:  # it waits for a segment, or we were cancelled
            self._child.kill()
            await self._child.wait()

    async def write_parts(self, segment: Path, committed: int) -> PartsReport:
        """The report of the child that wrote the segment's parts. Raises: SegmentUnsealable."""
        if self._child is None:
            self._child = await _start(self._traffic)
        child = self._child
        assert child.stdin is not None
        assert child.stdout is not None
        with suppress(ConnectionError):  # it has ended, and there will be no answer
            child.stdin.write(msgspec.json.encode(Order(segment=str(segment), committed=committed)) + b"\n")
            await child.stdin.drain()
        told = await child.stdout.readline()
        if told.endswith(b"\n"):
            return msgspec.json.decode(told, type=PartsReport)
        self._child = None
        raise SegmentUnsealable(segment=segment.stem) from RuntimeError(await _complaint(child))


async def _start(traffic: Path) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "review.traffic.parts", str(traffic), stdin=pipe, stdout=pipe, stderr=pipe
    )


async def _complaint(child: asyncio.subprocess.Process) -> str:
    """The last that a child said which has ended."""
    _output, complaint = await child.communicate()
    return complaint.decode(errors="replace")[-COMPLAINT_MAX_CHARS:]
