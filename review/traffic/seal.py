"""Sealing: what dead processes left and live ones rotated away becomes Parquet, each entry readable exactly once.

The registry decides where an entry is read: before a segment's row is committed from the segment, afterwards from its
Parquet. So a kill between any two steps leaves one of the two, and the next run goes on from there:

| killed after | what is read | what the next run does |
|---|---|---|
| written, named | the segment | writes the same parts again |
| registered | the Parquet | removes the segment |
| removed | the Parquet | forgets the cursors |
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from gateway.record.sealed import SealedSegment, SegmentRegistry, TailCursors
from gateway.record.segment import OPENING_SUFFIX, SUFFIX, Ownership, open_segments, sync_directory
from gateway.times import SECOND_US, now_us
from review.traffic.child import PartsChild, SegmentUnsealable
from review.traffic.parts import TEMPORARY

Step = Literal["registered", "removed", "forgotten"]
_STALE_S = 3600.0


class Unsealed(Struct, frozen=True, kw_only=True):
    """A segment that could not be turned into Parquet, and what the child process said, for the log."""

    segment: str
    complaint: str


Outcome = SealedSegment | Unsealed | Literal["resumed", "owned", "behind"]


class SealReport(Struct, frozen=True, kw_only=True):
    """What one run of sealing did."""

    sealed: tuple[SealedSegment, ...] = ()
    resumed: int = 0
    """Segments that an earlier, killed run had registered and not yet removed."""
    owned: int = 0
    """Segments whose process lives."""
    behind: int = 0
    """Segments with entries that a consumer has not committed yet."""
    failed: tuple[Unsealed, ...] = ()

    @property
    def torn_bytes(self) -> int:
        """How many bytes were cut from torn tails."""
        return sum(segment.torn_bytes for segment in self.sealed)


class Sealer:
    """Seals the segments of one traffic directory; only the holder of the worker's lease runs one."""

    def __init__(self, traffic: Path, registry: SegmentRegistry, cursors: TailCursors) -> None:
        self.traffic = traffic
        self.registry = registry
        self.cursors = cursors

    async def run(self) -> SealReport:
        """Seal every segment that has no owner and nothing uncommitted. One failure does not stop the others."""
        found = await asyncio.to_thread(open_segments, self.traffic / "open")
        async with PartsChild(self.traffic) as child:
            outcomes = [await self._seal_unowned(path, child) for path in found]
        await self._forget_removed()
        await asyncio.to_thread(_sweep, self.traffic, now_us() - round(_STALE_S * SECOND_US))
        return SealReport(
            sealed=tuple(found for found in outcomes if isinstance(found, SealedSegment)),
            resumed=outcomes.count("resumed"),
            owned=outcomes.count("owned"),
            behind=outcomes.count("behind"),
            failed=tuple(found for found in outcomes if isinstance(found, Unsealed)),
        )

    async def steps(self, path: Path, sealed: SealedSegment | None) -> AsyncIterator[Step]:
        """What remains once the parts lie there: register them (None when that is done), then clear away."""
        if sealed is not None:
            await self.registry.register(sealed)
            yield "registered"
        await asyncio.to_thread(_remove, path)
        yield "removed"
        await self.cursors.forget(path.stem)
        yield "forgotten"

    async def _seal_unowned(self, path: Path, child: PartsChild) -> Outcome:
        ownership = Ownership.take(path)
        if ownership is None:
            return "owned"
        with ownership:
            try:
                return await self._seal(path, child)
            except SegmentUnsealable as error:
                return Unsealed(segment=path.stem, complaint=str(error.__cause__))

    async def _seal(self, path: Path, child: PartsChild) -> Outcome:
        """Take an unowned segment as far as it goes. Raises: SegmentUnsealable."""
        sealed = None
        if not await self.registry.knows(path.stem):
            committed = await self.cursors.committed(path.stem)
            sealed = (await child.write_parts(path, committed)).sealed
            if sealed is None:
                return "behind"
        async for _step in self.steps(path, sealed):
            pass
        return sealed or "resumed"

    async def _forget_removed(self) -> None:
        """Drop the cursors that a run killed after removing a segment has left."""
        for name in await self.cursors.segments():
            gone = not await asyncio.to_thread((self.traffic / "open" / (name + SUFFIX)).exists)
            if gone and await self.registry.knows(name):
                await self.cursors.forget(name)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    sync_directory(path.parent)


def _sweep(traffic: Path, before_us: int) -> None:
    """Remove what killed processes left half made."""
    for path in (*(traffic / "open").glob("*" + OPENING_SUFFIX), *(traffic / TEMPORARY).glob("*")):
        if path.stat().st_mtime_ns // 1000 < before_us:
            path.unlink(missing_ok=True)
