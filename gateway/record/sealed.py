"""What the ledger knows of sealed segments, and the two ports through which sealing and reading ask it."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from gateway.record.entries import EntryKind


class SealedPart(Struct, frozen=True, kw_only=True):
    """One Parquet file: the entries of one kind of one segment."""

    kind: EntryKind
    location: str
    """The path below the traffic directory."""
    sha256: str
    bytes: int
    rows: int


class SealedSegment(Struct, frozen=True, kw_only=True):
    """A segment that is now Parquet; its entries and their predictions lie between `first_us` and `last_us`."""

    name: str
    process: str
    entries: int
    torn_bytes: int
    parts: tuple[SealedPart, ...] = ()
    first_us: int | None = None
    last_us: int | None = None
    removed_us: int | None = None

    def overlaps(self, since_us: int, until_us: int) -> bool:
        """Whether something in it may lie in [since, until)."""
        if self.first_us is None or self.last_us is None:
            return False
        return self.first_us < until_us and self.last_us >= since_us


class SegmentRegistry(Protocol):
    """Which segments are sealed: the one truth about where an entry is read, segment or Parquet."""

    async def register(self, sealed: SealedSegment) -> bool:
        """Note a sealed segment with its parts in one transaction; False when it was known already."""
        ...

    async def knows(self, name: str) -> bool:
        """Whether a segment was ever registered, removed ones included."""
        ...

    async def sealed(self, since_us: int, until_us: int) -> Sequence[SealedSegment]:
        """The segments not removed that overlap the window, in the order of their names."""
        ...

    async def remove(self, name: str, at_us: int) -> bool:
        """Note that retention takes a segment's parts away; False when it was noted before."""
        ...


class TailCursors(Protocol):
    """How far the consumers of `tail` have committed."""

    async def committed(self, segment: str) -> int:
        """The byte of a segment up to which every consumer has committed; 0 while one has not begun."""
        ...

    async def segments(self) -> Sequence[str]:
        """The segments of which some consumer has committed something."""
        ...

    async def forget(self, segment: str) -> None:
        """Drop what is known of a segment that is gone."""
        ...


class MemoryRegistry:
    """Sealed segments in memory, for tests and trials."""

    def __init__(self) -> None:
        self._segments: dict[str, SealedSegment] = {}
        self._removed: dict[str, int] = {}

    async def register(self, sealed: SealedSegment) -> bool:
        return self._segments.setdefault(sealed.name, sealed) is sealed

    async def knows(self, name: str) -> bool:
        return name in self._segments

    async def sealed(self, since_us: int, until_us: int) -> Sequence[SealedSegment]:
        live = (found for name, found in sorted(self._segments.items()) if name not in self._removed)
        return [found for found in live if found.overlaps(since_us, until_us)]

    async def remove(self, name: str, at_us: int) -> bool:
        if name in self._removed:
            return False
        self._removed[name] = at_us
        return True


class MemoryCursors:
    """Cursors of one consumer in memory, for tests and trials."""

    def __init__(self) -> None:
        self.offsets: dict[str, int] = {}

    async def committed(self, segment: str) -> int:
        return self.offsets.get(segment, 0)

    async def segments(self) -> Sequence[str]:
        return list(self.offsets)

    async def forget(self, segment: str) -> None:
        self.offsets.pop(segment, None)
