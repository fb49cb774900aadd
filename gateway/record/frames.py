"""Frames: how entries lie in a segment, so that a torn tail is recognised at any byte.

A segment begins with HEADER. A frame is the length of its entry and a checksum over length and entry (both four bytes,
little-endian), then the entry. Length zero is never valid: a crash may leave zeros behind the last whole frame.
"""

import struct
from collections.abc import Iterator
from zlib import crc32

from msgspec import Struct

HEADER = b"lgtraf\x00\x01"
HEADER_BYTES = len(HEADER)
FRAME_BYTES = 8
"""What a frame adds to its entry."""
_FRAME = struct.Struct("<II")


class Frame(Struct, frozen=True):
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


def frames(chunk: bytes, base: int, entry_max_bytes: int) -> Iterator[Frame]:
    """The whole frames at the beginning of `chunk`, which begins at byte `base` of its segment.

    Ends at the first byte that does not begin a whole, sound frame.
    """
    at = 0
    while at + FRAME_BYTES <= len(chunk):
        length, checksum = _FRAME.unpack_from(chunk, at)
        end = at + FRAME_BYTES + length
        if not 0 < length <= entry_max_bytes or end > len(chunk):
            return
        data = chunk[at + FRAME_BYTES : end]
        if crc32(data, length) != checksum:
            return
        yield Frame(base + at, base + end, data)
        at = end
