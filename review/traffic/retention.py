"""Retention: what is older than the policy leaves the traffic log, and its row in the ledger says when."""

import asyncio
from pathlib import Path

import pyarrow.parquet as pq
from msgspec import Struct

from gateway.record.payloads import ObjectStore
from gateway.record.sealed import SegmentRegistry
from gateway.record.segment import open_segments
from review.traffic.query import FOREVER_US


class RetentionReport(Struct, frozen=True, kw_only=True):
    """What one run of retention removed."""

    segments: int
    parts: int
    bytes: int
    objects: int
    """Folded entries, which lived as objects beside their part."""


async def retain(
    traffic: Path, registry: SegmentRegistry, objects: ObjectStore, *, before_us: int, at_us: int
) -> RetentionReport:
    """Remove the segments whose last entry is older than `before_us`, first from the ledger, then from the disk.

    A run that was killed in between is finished by the next: files that no live row names are removed as well.
    """
    segments = 0
    for segment in await registry.sealed(0, before_us):
        if segment.last_us is not None and segment.last_us < before_us:
            segments += await registry.remove(segment.name, at_us)
    parts = size = erased = 0
    for path in await _ownerless(traffic, registry):
        size += (await asyncio.to_thread(path.stat)).st_size
        erased += await _discard(path, objects)
        parts += 1
    return RetentionReport(segments=segments, parts=parts, bytes=size, objects=erased)


async def _ownerless(traffic: Path, registry: SegmentRegistry) -> list[Path]:
    """The Parquet files of no live row and no open segment.

    The order matters: a segment is registered before it is removed, so one that is sealed meanwhile is seen in the
    list of open segments or in the registry, which is asked last.
    """
    found = await asyncio.to_thread(lambda: sorted((traffic / "sealed").glob("*/*/*.parquet")))
    unsealed = {path.stem for path in await asyncio.to_thread(open_segments, traffic / "open")}
    live = {part.location for segment in await registry.sealed(0, FOREVER_US) for part in segment.parts}
    return [p for p in found if p.stem not in unsealed and p.relative_to(traffic).as_posix() not in live]


async def _discard(path: Path, objects: ObjectStore) -> int:
    """Remove a part and the folded entries it names, the file last, so that a killed run finds them again."""
    digests = await asyncio.to_thread(_folded, path)
    erased = sum([await objects.delete(digest) for digest in digests])
    await asyncio.to_thread(path.unlink, missing_ok=True)
    return erased


def _folded(path: Path) -> list[str]:
    column = pq.read_table(path, columns=["folded"]).column("folded")
    return [digest for digest in column.to_pylist() if digest]
