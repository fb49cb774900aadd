"""The child process that turns segments into Parquet, one after the other.

To start one takes as long as some ten thousand entries.

Entries are safe and can be read where they lie, so that this can wait: the child gets what every other process leaves
of the processors. Each time it ran beside a gateway that never rests, all whom that answered waited for as long as
Linux lets a process run, some 4 ms, however little it was given in all. Where that is not enough to seal a segment in
`PATIENCE_S`, another child gets a tenth of a full processor: the log must not grow for as long as a rush lasts.
"""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from review.errors import ReviewError
from review.traffic.parts import Order, PartsReport

COMPLAINT_MAX_CHARS = 2000
PATIENCE_S = 300.0
"""As long as a gateway writes to a segment at most."""
BEHIND_WORKER = 5
"""Steps of niceness of a child that has waited for long enough."""


class SegmentUnsealable(ReviewError):
    """Segment '{segment}' could not be turned into Parquet; it stays as it is."""

    code = "segment-unsealable"


class PartsChild:
    """A child that is started for the first segment, and anew after one that ended it or took too long.

    A context manager that leaves no child behind.
    """

    def __init__(self, traffic: Path, patience_s: float = PATIENCE_S) -> None:
        self._traffic = traffic
        self._patience_s: float | None = patience_s
        """None once a child has been waited for in vain."""
        self._child: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._end()

    async def _end(self) -> None:
        if self._child is not None and self._child.returncode is None:  # it waits for a segment, or we were cancelled
            self._child.kill()
            await self._child.wait()
        self._child = None

    async def write_parts(self, segment: Path, committed: int) -> PartsReport:
        """The report of the child that wrote the segment's parts. Raises: SegmentUnsealable."""
        child = await self._started()
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._ask(child, segment, committed)
        except TimeoutError:
            await self._end()
            self._patience_s = None
        return await self._ask(await self._started(), segment, committed)

    async def _started(self) -> asyncio.subprocess.Process:
        if self._child is None:
            self._child = await _start(self._traffic)
            _give_way(self._child.pid, last_of_all=self._patience_s is not None)
        return self._child

    async def _ask(self, child: asyncio.subprocess.Process, segment: Path, committed: int) -> PartsReport:
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


def _give_way(process: int, *, last_of_all: bool) -> None:
    if sys.platform == "linux":
        with suppress(OSError):  # it could not even start, and will not answer; or whoever runs us forbids it
            if last_of_all:
                os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0))
            else:
                os.setpriority(os.PRIO_PROCESS, process, os.nice(0) + BEHIND_WORKER)


async def _complaint(child: asyncio.subprocess.Process) -> str:
    """The last that a child said which has ended."""
    _output, complaint = await child.communicate()
    return complaint.decode(errors="replace")[-COMPLAINT_MAX_CHARS:]
