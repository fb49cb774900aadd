"""Frames: how entries lie in a segment, so that a torn tail is recognised at any byte.

A segment begins with HEADER. A frame is the length of its entry and a checksum over length and entry (both four bytes,
little-endian), then the entry. Length zero is never valid: a crash may leave zeros behind the last whole frame.
"""

import struct
from collections.abc import Iterator, Sequence
from zlib import crc32

from msgspec import Struct

HEADER = b"lgtraf\x00\x01"
HEADER_BYTES = len(HEADER)
FRAME_BYTES = 8
"""What a frame adds to its entry."""
MAP_HEAD_BYTES = 3
"""How many bytes an entry of more than fifteen fields has before the first of them."""
Mark = tuple[int, tuple[bytes, ...]]
"""Where in an entry some bytes stand that say enough of it, and what they may be."""
_FRAME = struct.Struct("<II")
_LENGTH = struct.Struct("<I")


class Frame(Struct, frozen=True, gc=False):
    """An entry's bytes, and where its frame begins and ends."""

    start: int
    end: int
    data: bytes


def seal_frame(buffer: bytearray, start: int) -> None:
    """Fill in the eight bytes before the entry that was written into `buffer` from `start` + FRAME_BYTES on."""
    length = len(buffer) - start - FRAME_BYTES
    with memoryview(buffer) as view:
        checksum = crc32(view[start + FRAME_BYTES :], length)
    _FRAME.pack_into(buffer, start, length, checksum)


def frame(data: bytes) -> bytes:
    """One entry's bytes as a frame."""
    return _FRAME.pack(len(data), crc32(data, len(data))) + data


def marked(chunk: bytes, at: int, marks: Sequence[Mark]) -> bool:
    """Whether the entry of a frame that begins at `at` has one of the marks."""
    entry = at + FRAME_BYTES
    for place, mark in marks:  # noqa: SIM110 - a generator would take longer than all of its looks
        if chunk.startswith(mark, entry + place):
            return True
    return False


def passed(chunk: bytes, at: int, marks: Sequence[Mark], entry_max_bytes: int) -> int:
    """Where the first frame from `at` on begins whose entry has none of the marks, or that is not whole.

    Checksums are not looked at: whoever passes an entry by uses nothing of it, and what stands behind it must still be
    a frame. Whoever seals a segment looks at every one.
    """
    length_of, starts, size = _LENGTH.unpack_from, chunk.startswith, len(chunk)
    (place, mark), *others = marks  # the shortest first: no entry is shorter than its mark
    behind, least = FRAME_BYTES + place, place + len(mark[0])
    while starts(mark, at + behind) or (others and marked(chunk, at, others)):
        length = length_of(chunk, at)[0]
        end = at + FRAME_BYTES + length
        if end > size or not least <= length <= entry_max_bytes:
            break
        at = end
    return at


def frames(chunk: bytes, base: int, entry_max_bytes: int, at: int = 0) -> Iterator[Frame]:
    """The whole frames of `chunk` from `at` on; it begins at byte `base` of its segment.

    Ends at the first byte that does not begin a whole, sound frame.
    """
    size, head_of = len(chunk), _FRAME.unpack_from
    while (begin := at + FRAME_BYTES) <= size:
        length, checksum = head_of(chunk, at)
        end = begin + length
        if not 0 < length <= entry_max_bytes or end > size:
            return
        data = chunk[begin:end]
        if crc32(data, length) != checksum:
            return
        yield Frame(base + at, base + end, data)
        at = end
