"""The SQL of sealed segments and of how far the consumers of the traffic log have read each open one."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, insert, select, update

from gateway.record.sealed import SealedPart, SealedSegment
from gateway.store.leases import move_cursor
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.looks import Look
from gateway.store.schema.plumbing import CursorRow, SegmentPartRow, SegmentRow

_OFFSETS = Look(select(CursorRow.consumer, CursorRow.position).where(CursorRow.consumer.startswith("traffic:")))


async def committed_offsets(r: ReadSession, consumer: str) -> Mapping[str, int]:
    """The byte up to which a consumer has committed each segment, for `gateway.record.reader.tail`."""
    prefix = _key(consumer, "")
    rows = await r.execute(select(CursorRow).where(CursorRow.consumer.startswith(prefix, autoescape=True)))
    return {row.consumer.removeprefix(prefix): row.position for row in rows.scalars()}


async def latest_offsets(ledger: Ledger, consumer: str) -> Mapping[str, int]:
    """As `committed_offsets`, for who asks every moment. Raises: LedgerUnavailable."""
    prefix = _key(consumer, "")
    rows = await ledger.look(_OFFSETS)
    return {name.removeprefix(prefix): position for name, position in rows if name.startswith(prefix)}


async def commit_offset(w: WriteSession, consumer: str, segment: str, end: int) -> None:
    """Note that a consumer has used the entries of a segment up to `end`, in the transaction in which it did."""
    await move_cursor(w, _key(consumer, segment), end)


async def register_segment(w: WriteSession, sealed: SealedSegment) -> bool:
    """Insert a sealed segment and its parts; False when it was known already."""
    if await w.get(SegmentRow, sealed.name) is not None:
        return False
    await w.execute(
        insert(SegmentRow).values(
            name=sealed.name,
            process=sealed.process,
            entries=sealed.entries,
            first_us=sealed.first_us,
            last_us=sealed.last_us,
            torn_bytes=sealed.torn_bytes,
            sealed_us=await w.now_us(),
            removed_us=None,
        )
    )
    for part in sealed.parts:
        await w.execute(
            insert(SegmentPartRow).values(
                segment=sealed.name,
                kind=part.kind,
                location=part.location,
                sha256=part.sha256,
                bytes=part.bytes,
                rows=part.rows,
            )
        )
    return True


async def sealed_segments(r: ReadSession, since_us: int, until_us: int) -> list[SealedSegment]:
    """The segments not removed that overlap [since, until), with their parts, in the order of their names."""
    overlapping = (
        SegmentRow.removed_us.is_(None),
        SegmentRow.first_us < until_us,
        SegmentRow.last_us >= since_us,
    )
    parts: dict[str, list[SealedPart]] = {}
    joined = select(SegmentPartRow).join(SegmentRow, SegmentRow.name == SegmentPartRow.segment).where(*overlapping)
    for row in (await r.execute(joined.order_by(SegmentPartRow.kind))).scalars():
        parts.setdefault(row.segment, []).append(_part(row))
    rows = (await r.execute(select(SegmentRow).where(*overlapping).order_by(SegmentRow.name))).scalars()
    return [_segment(row, tuple(parts.get(row.name, ()))) for row in rows]


async def remove_segment(w: WriteSession, name: str, at_us: int) -> bool:
    """Mark a segment's parts as removed; False when they were already."""
    unmarked = (SegmentRow.name == name, SegmentRow.removed_us.is_(None))
    marked = await w.execute(update(SegmentRow).where(*unmarked).values(removed_us=at_us))
    return bool(marked.rowcount)  # type: ignore[attr-defined]


class LedgerSegments:
    """The registry of sealed segments in the ledger, one transaction a call."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def register(self, sealed: SealedSegment) -> bool:
        async with self._ledger.writing() as w:
            return await register_segment(w, sealed)

    async def knows(self, name: str) -> bool:
        async with self._ledger.reading() as r:
            return await r.get(SegmentRow, name) is not None

    async def sealed(self, since_us: int, until_us: int) -> Sequence[SealedSegment]:
        async with self._ledger.reading() as r:
            return await sealed_segments(r, since_us, until_us)

    async def remove(self, name: str, at_us: int) -> bool:
        async with self._ledger.writing() as w:
            return await remove_segment(w, name, at_us)


class LedgerCursors:
    """The cursors of the named consumers in the ledger, one transaction a call."""

    def __init__(self, ledger: Ledger, consumers: Sequence[str]) -> None:
        self._ledger = ledger
        self._consumers = consumers

    async def committed(self, segment: str) -> int:
        keys = [_key(consumer, segment) for consumer in self._consumers]
        async with self._ledger.reading() as r:
            found = (await r.execute(select(CursorRow.position).where(CursorRow.consumer.in_(keys)))).scalars().all()
        return min(found) if len(found) == len(keys) else 0

    async def segments(self) -> Sequence[str]:
        found: set[str] = set()
        async with self._ledger.reading() as r:
            for consumer in self._consumers:
                found.update(await committed_offsets(r, consumer))
        return sorted(found)

    async def forget(self, segment: str) -> None:
        keys = [_key(consumer, segment) for consumer in self._consumers]
        async with self._ledger.writing() as w:
            await w.execute(delete(CursorRow).where(CursorRow.consumer.in_(keys)))


def _key(consumer: str, segment: str) -> str:
    return f"traffic:{consumer}:{segment}"


def _part(row: SegmentPartRow) -> SealedPart:
    return SealedPart(kind=row.kind, location=row.location, sha256=row.sha256, bytes=row.bytes, rows=row.rows)


def _segment(row: SegmentRow, parts: tuple[SealedPart, ...]) -> SealedSegment:
    return SealedSegment(
        name=row.name,
        process=row.process,
        entries=row.entries,
        torn_bytes=row.torn_bytes,
        parts=parts,
        first_us=row.first_us,
        last_us=row.last_us,
        removed_us=row.removed_us,
    )
