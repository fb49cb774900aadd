"""Reading segments, one's own or those of dead processes: entries in order, each with its position.

The contract of `tail`: a consumer keeps one number for each segment, the byte up to which it has read, and commits it
in the transaction that uses the entries. A segment without a number is read from its start. The bytes before a whole
frame's end never change, so a stretch begins exactly where the last committed one ended: nothing is skipped, and
nothing comes twice to a consumer that commits. A segment is only sealed and removed when every consumer has committed
its last whole entry; the number is forgotten after the segment is gone.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

import msgspec
from msgspec import Struct

from gateway.record.codec import ENTRY_MAX_BYTES, PLAIN_MARKS, decode
from gateway.record.entries import Entry, Position
from gateway.record.errors import TrafficLogUnreadable
from gateway.record.frames import HEADER, HEADER_BYTES, Frame, Mark, frames, marked, passed
from gateway.record.segment import SUFFIX, open_segments

if TYPE_CHECKING:  # whoever seals has no use for what it imports
    from gateway.record.payloads import ObjectStore

_CHUNK_BYTES = 64 << 10
_BREATH_S = 0.0001
STRETCH_MAX_BYTES = 64 << 20
"""A stretch of entries that nobody wants is committed after so many bytes."""


class Recorded(Struct, frozen=True):
    """An entry and where it stands."""

    position: Position
    entry: Entry


class Stretch(Struct, frozen=True, kw_only=True):
    """Consecutive entries of one segment; commit `end` for the segment together with what was made of them."""

    segment: str
    start: int
    end: int
    frames: tuple[Frame, ...]

    @property
    def entries(self) -> tuple[Recorded, ...]:
        """What stands in the frames. Raises: TrafficLogUnreadable."""
        return tuple(recorded_in(self.segment, found) for found in self.frames)


class SegmentReader:
    """An open segment: iterate for its entries; afterwards `end` and `torn_bytes` tell how far it was sound.

    It stays readable when the file is removed meanwhile. A context manager that closes the file.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.name = path.name.removesuffix(SUFFIX)
        self.end = max(offset, HEADER_BYTES)
        self._file = path.open("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Recorded]:
        """The entries from `end` on. Raises: TrafficLogUnreadable."""
        for found in self.frames():
            yield recorded_in(self.name, found)

    def matching(self, needle: bytes) -> Iterator[Recorded]:
        """The entries from `end` on whose bytes contain `needle`; the others are not decoded. Raises as iterating."""
        for found in self.frames():
            if needle in found.data:
                yield recorded_in(self.name, found)

    def wanted(self, wanted: Callable[[bytes], bool], passing: Sequence[Mark]) -> Iterator[Frame | None]:
        """The frames from `end` on whose bytes are wanted; None for others. Raises: TrafficLogUnreadable.

        Entries with one of the marks, which nobody wants, are passed by together and told as one None.
        """
        for chunk, base in self._chunks(breathe):
            at, begun = 0, -1
            while at != begun:
                begun, at = at, passed(chunk, at, passing, ENTRY_MAX_BYTES)
                self.end = base + at
                if at > begun:
                    yield None
                for found in frames(chunk, base, ENTRY_MAX_BYTES, at):
                    self.end, at = found.end, found.end - base
                    yield found if wanted(found.data) else None
                    if marked(chunk, at, passing):
                        break

    def frames(self) -> Iterator[Frame]:
        """The whole frames from `end` on, not decoded. Raises: TrafficLogUnreadable for another kind of file."""
        for chunk, base in self._chunks():
            for found in frames(chunk, base, ENTRY_MAX_BYTES):
                self.end = found.end
                yield found

    def _chunks(self, give_way: Callable[[], None] = os.sched_yield) -> Iterator[tuple[bytes, int]]:
        """What lies behind `end` and where that is, as long as `end` moves on. Raises: TrafficLogUnreadable.

        Before each chunk whoever waits for the processor goes first: a reader would else keep it for some milliseconds
        at a time, and callers wait for their answers meanwhile.
        """
        header = _header(self._file)
        if header != HEADER[: len(header)]:
            raise TrafficLogUnreadable(segment=self.name, offset=0)
        while chunk := self._chunk():
            give_way()
            begun = self.end
            yield chunk, begun
            if self.end == begun:
                return

    @property
    def torn_bytes(self) -> int:
        """How many bytes lie behind the last whole frame read; of a live segment they may still become one."""
        return max(0, self._file.seek(0, 2) - self.end)

    def _chunk(self) -> bytes:
        self._file.seek(self.end)
        return self._file.read(_CHUNK_BYTES)


def breathe() -> None:
    """Leave the processor to others between two pieces of work that can wait.

    To yield is not enough: whoever has slept may run on for as long as that.
    """
    time.sleep(_BREATH_S)


def recorded_in(segment: str, found: Frame) -> Recorded:
    """The entry of a segment's frame, and where it stands. Raises: TrafficLogUnreadable."""
    return Recorded(Position(segment, found.start), entry_in(segment, found))


def entry_in(segment: str, found: Frame) -> Entry:
    """The entry of a segment's frame. Raises: TrafficLogUnreadable when it is none that this release knows."""
    try:
        return decode(found.data)
    except msgspec.MsgspecError as error:
        raise TrafficLogUnreadable(segment=segment, offset=found.start) from error


def _header(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(HEADER_BYTES)


def tail(
    directory: Path,
    committed: Mapping[str, int],
    limit: int = 500,
    wanted: Callable[[bytes], bool] | None = None,
    most_bytes: int = STRETCH_MAX_BYTES,
    passing: Sequence[Mark] = PLAIN_MARKS,
) -> Iterator[Stretch]:
    """What each segment of the traffic directory's `open` holds behind the committed byte, in stretches of ≤ `limit`.

    Where `wanted` says what is wanted, entries with the marks of `passing` and those whose bytes are not wanted are
    passed by; a stretch that ends behind them commits them, too. Ends when everything that was written has been told;
    call again for more. Raises: TrafficLogUnreadable.
    """
    for path in open_segments(directory):
        try:
            reader = SegmentReader(path, committed.get(path.name.removesuffix(SUFFIX), 0))
        except FileNotFoundError:
            continue  # sealed since it was listed, so everything in it was committed
        with reader:
            told = reader.frames() if wanted is None else reader.wanted(wanted, passing)
            yield from _stretches(reader, told, limit, most_bytes)


def _stretches(reader: SegmentReader, told: Iterator[Frame | None], limit: int, most_bytes: int) -> Iterator[Stretch]:
    start = reader.end
    found: list[Frame] = []
    for one in told:
        if one is not None:
            found.append(one)
        if len(found) == limit or reader.end - start >= most_bytes:
            yield Stretch(segment=reader.name, start=start, end=reader.end, frames=tuple(found))
            start, found = reader.end, []
    if reader.end > start:
        yield Stretch(segment=reader.name, start=start, end=reader.end, frames=tuple(found))


async def unfold(entry: Entry, objects: "ObjectStore") -> Entry:
    """The whole entry, fetched from its object when only its head stands in the log.

    Raises: UnknownObject when it was erased, DamagedObject.
    """
    if entry.folded is None:
        return entry
    return decode(await objects.get(entry.folded.sha256))
