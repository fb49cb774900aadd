"""Entries to bytes and back, never above the limit: what does not fit is folded into an object of its own."""

from hashlib import sha256
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from gateway.record.entries import (
    Decided,
    Delivered,
    Entry,
    EntryKind,
    FlagFact,
    FlagFacts,
    Folded,
    ObjectRef,
    Refused,
    Shadowed,
)
from gateway.record.frames import MAP_HEAD_BYTES, Mark

ENTRY_MAX_BYTES = 4096
_TEXT_MAX_BYTES = 100  # names of models, releases and processes and digests are shorter
_HEAD_OBJECTS_MAX = 4
_HEAD_ANSWERS_MAX = 3

PLAIN_MARK = b"\xa5plain\xc3"
"""The first field of a plain entry, behind its map's head."""
_MARK = slice(MAP_HEAD_BYTES, MAP_HEAD_BYTES + len(PLAIN_MARK))
_KIND = b"\xa4kind"
_TAGS: dict[bytes, EntryKind] = {
    b"\xa9decided/1": "decided",
    b"\xaashadowed/1": "shadowed",
    b"\xabdelivered/1": "delivered",
    b"\xa9refused/1": "refused",
}
_SHADOWED = b"\xa4kind\xaashadowed/1"
_TAG_ENDS = MAP_HEAD_BYTES + len(_SHADOWED)
PLAIN_MARKS: tuple[Mark, ...] = ((MAP_HEAD_BYTES, (PLAIN_MARK,)),)
UNDRAWN_MARKS: tuple[Mark, ...] = ((MAP_HEAD_BYTES, (PLAIN_MARK, _SHADOWED)), (1, (_SHADOWED,)))
"""The marks of entries of which nothing is drawn for audit: plain ones, and those about runs beside answers."""
ENCODER = msgspec.msgpack.Encoder(uuid_format="bytes")
_DECODER: msgspec.msgpack.Decoder[Entry] = msgspec.msgpack.Decoder(Entry)
_T = TypeVar("_T", Decided, Shadowed, Delivered, Refused)


def encode(entry: Entry) -> bytes:
    """The entry as MessagePack, of whatever size."""
    return ENCODER.encode(entry)


def decode(data: bytes | memoryview) -> Entry:
    """The entry in these bytes. Raises: msgspec.MsgspecError when it is none that this release knows."""
    return _DECODER.decode(data)


def may_be_drawn(data: bytes) -> bool:
    """Whether something of the entry in these bytes may be drawn for audit: not of a plain one, or a run beside it."""
    return data[_MARK] != PLAIN_MARK and not is_shadowed(data)


def kind_in(data: bytes) -> EntryKind | None:
    """The kind of the entry in these bytes; None where it is none that this release knows."""
    if data[_MARK] == PLAIN_MARK:
        return "decided"
    at = data.find(_KIND, 0, MAP_HEAD_BYTES + len(_KIND)) + len(_KIND)
    return next((kind for tag, kind in _TAGS.items() if data.startswith(tag, at)), None)


def is_shadowed(data: bytes) -> bool:
    """Whether the entry in these bytes tells of a run beside an answer."""
    return _SHADOWED in data[:_TAG_ENDS]


def fold(entry: Entry, whole: bytes) -> Entry:
    """The head of an entry whose encoding is `whole`; always fits below ENTRY_MAX_BYTES and names `whole` by digest.

    Counting needs no object: path, rules, releases, the flags' answers and the numbers of items stay.
    """
    mark = _mark(entry, whole)
    if isinstance(entry, Decided):
        answers = tuple(map(_clipped_answer, entry.flags.answers[:_HEAD_ANSWERS_MAX]))
        state = _clip(entry.flags.state or "") or None
        asked = entry.flags
        flags = FlagFacts(state=state, evaluated_us=asked.evaluated_us, answers=answers, revision=asked.revision)
        objects = _few(entry.objects)
        return _clipped(replace(entry, flags=flags, items=(), inputs=(), outputs=(), objects=objects, folded=mark))
    if isinstance(entry, Shadowed):
        emptied = replace(entry, differing=(), draws=(), answers=(), outputs=(), decided=None)
        return _clipped(replace(emptied, objects=_few(entry.objects), folded=mark))
    if isinstance(entry, Delivered):
        return _clipped(replace(entry, folded=mark))
    return _clipped(replace(entry, folded=mark))


def _mark(entry: Entry, whole: bytes) -> Folded:
    items = entry.item_count if isinstance(entry, Decided | Shadowed) else 0
    held, audited = (entry.held_count, entry.audited_count) if isinstance(entry, Decided) else (0, 0)
    differing, drawn = (entry.differing_count, entry.drawn_count) if isinstance(entry, Shadowed) else (0, 0)
    return Folded(
        sha256=sha256(whole).hexdigest(),
        bytes=len(whole),
        items=items,
        held=held,
        audited=audited,
        differing=differing,
        drawn=drawn,
    )


def _few(objects: tuple[ObjectRef, ...]) -> tuple[ObjectRef, ...]:
    return tuple(replace(ref, media_type=_clip(ref.media_type)) for ref in objects[:_HEAD_OBJECTS_MAX])


def _clipped_answer(said: FlagFact) -> FlagFact:
    return replace(said, name=_clip(said.name), reason=_clip(said.reason), variant=_clip(said.variant or "") or None)


def _clipped(entry: _T) -> _T:
    """The entry with its long texts cut, for a caller's request id or a card's rule may be of any length."""
    texts = {
        name: _clip(value)
        for name in entry.__struct_fields__
        if isinstance(value := getattr(entry, name), str) and len(value) > _TEXT_MAX_BYTES // 4
    }
    return replace(entry, **texts) if texts else entry


def _clip(text: str) -> str:
    return text.encode()[:_TEXT_MAX_BYTES].decode(errors="ignore")
