"""Takes large fields out of a protobuf message without copying them, and puts them behind one. Pure.

A message is its fields one after the other, in any order, so what was taken out stands as well behind all the others.
"""

from collections.abc import Iterable

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VARINT_MAX_BYTES = 10


def split(message: bytes, number: int) -> tuple[bytes, list[memoryview]]:
    """The message without its bytes fields of this number, and what those hold, in order and where it lies.

    What is no message is given back whole, so that its parser says what is wrong with it.
    """
    view, at, kept_to = memoryview(message), 0, 0
    kept: list[memoryview] = []
    taken: list[memoryview] = []
    try:
        while at < len(message):
            tag, begin = _varint(message, at)
            end, content = _skipped(message, tag & 7, begin)
            if end > len(message):
                return message, []
            if tag == number << 3 | _BYTES:
                kept.append(view[kept_to:at])
                taken.append(view[content:end])
                kept_to = end
            at = end
    except (IndexError, ValueError):
        return message, []
    return (b"".join((*kept, view[kept_to:])), taken) if taken else (message, taken)


def joined(message: bytes, number: int, contents: Iterable[memoryview]) -> bytes:
    """The message with these bytes fields behind it; each is copied once."""
    parts: list[bytes | memoryview] = [message]
    tag = _written(number << 3 | _BYTES)
    for content in contents:
        parts += (tag, _written(len(content)), content)
    return b"".join(parts)


def _skipped(message: bytes, wire_type: int, at: int) -> tuple[int, int]:
    """Where a field ends, and where its content begins. Raises: ValueError, IndexError."""
    if wire_type == _BYTES:
        size, begin = _varint(message, at)
        return begin + size, begin
    if wire_type == _VARINT:
        return _varint(message, at)[1], at
    if wire_type in (_FIXED32, _FIXED64):
        return at + (4 if wire_type == _FIXED32 else 8), at
    raise ValueError


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The number here, and where it ends. Raises: ValueError, IndexError."""
    value = 0
    for shift in range(_VARINT_MAX_BYTES):
        byte = message[at + shift]
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, at + shift + 1
    raise ValueError


def _written(value: int) -> bytes:
    """The number as it stands in a message."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
