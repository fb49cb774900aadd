"""Entries that begin alike: what they have in common is read once, and of each only what is its own. Pure.

Plain entries and those about runs beside them are cast in moulds, so that thousands begin with the same bytes. Whoever
reads many of them needs to decode these once. Nothing is guessed:

| an entry | is |
|---|---|
| with the first bytes of one that was met | read on behind them; all that is there has to be fields of its own |
| with a mould's mark, and then fields in common as our encoder writes them | remembered by its first bytes |
| with anything else | not alike; whoever reads decodes it whole |
"""

from collections.abc import Mapping
from itertools import takewhile
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct

from gateway.record.codec import ENCODER, PLAIN_MARK, decode
from gateway.record.entries import Decided, ItemFacts, Shadowed, ShadowStatus, kind_of
from gateway.record.frames import MAP_HEAD_BYTES

KNOWN_MAX = 64
"""So many beginnings are remembered: those of the models that are asked, under the latest states of their flags."""
_FIXMAP_MAX: Final = 15
_EVALUATED: Final = b"\xacevaluated_us"
_EVALUATED_BYTES: Final = len(_EVALUATED) + 9
_BESIDE_MARK: Final = b"\xa4kind\xaashadowed/1\xa7process"
"""The first fields of an entry about a run beside a plain answer; others say `at_us` behind their kind."""
_BESIDE_ENDS: Final = MAP_HEAD_BYTES + len(_BESIDE_MARK)
NO_TENSORS: Final = Raw()

IdBytes = Annotated[bytes, Meta(min_length=16, max_length=16)]
Stages = tuple[int, int, int, int, int, int]


class OwnDecided(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What a decided entry does not share with those that begin alike, by the names that entries have for it."""

    at_us: int
    evaluated_us: int
    prediction: IdBytes
    api_key: IdBytes
    input_digest: str
    output_digest: str
    request_id: str | None = None
    items: tuple[ItemFacts, ...] = ()
    stages: Stages = (0, 0, 0, 0, 0, 0)
    inputs: Raw = NO_TENSORS
    outputs: Raw = NO_TENSORS


class OwnShadowed(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What an entry about a run beside an answer does not share with those that begin alike."""

    at_us: int
    prediction: IdBytes
    status: ShadowStatus
    reason: str = ""
    differing: tuple[int, ...] = ()
    item_count: int = 0
    output_digest: str | None = None
    run_us: int = 0
    draws: tuple[float, ...] = ()
    answers: Raw = NO_TENSORS
    outputs: Raw = NO_TENSORS


Own = OwnDecided | OwnShadowed
_DECODERS: Final[Mapping[type[Decided | Shadowed], msgspec.msgpack.Decoder[Any]]] = {
    Decided: msgspec.msgpack.Decoder(OwnDecided),
    Shadowed: msgspec.msgpack.Decoder(OwnShadowed),
}
_OWN_NAMES: Final = {
    Decided: frozenset(OwnDecided.__struct_fields__),
    Shadowed: frozenset(OwnShadowed.__struct_fields__),
}


class Alike:
    """Entries that begin with the same bytes."""

    def __init__(self, begin: bytes, own_fields: int, entry: Decided | Shadowed) -> None:
        self.begin = begin
        self.entry = entry
        """One of them. What is no field of its own is said by all."""
        self.kind = kind_of(entry)
        self._behind = len(begin)
        self._head = bytes((0x80 | own_fields,))
        self._decode = _DECODERS[type(entry)].decode

    def own(self, data: bytes) -> Own | None:
        """What is the own of an entry that begins like them; None where it has to be decoded whole."""
        try:
            return self._decode(self._head + data[self._behind :])  # type: ignore[no-any-return]
        except msgspec.MsgspecError:
            return None


class Beginnings:
    """The beginnings that were met, the latest first."""

    def __init__(self) -> None:
        self._known: list[Alike] = []
        self._last: Alike | None = None

    def of(self, data: bytes) -> Alike | None:
        """Those that the entry in these bytes begins like."""
        if self._last is not None and data.startswith(self._last.begin):
            return self._last
        if not (data.startswith(PLAIN_MARK, MAP_HEAD_BYTES) or _BESIDE_MARK in data[:_BESIDE_ENDS]):
            return None
        found = next((known for known in self._known if data.startswith(known.begin)), None)
        if found is None and (found := _alike(data)) is not None:
            self._known = [found, *self._known[: KNOWN_MAX - 1]]
        self._last = found or self._last
        return found


def _alike(data: bytes) -> Alike | None:
    """Those that begin like this entry; None where what it may share with others is not told first."""
    try:
        entry, told = decode(data), msgspec.msgpack.decode(data)
    except msgspec.MsgspecError:
        return None
    if not isinstance(entry, Decided | Shadowed) or entry.folded is not None:
        return None
    names = _OWN_NAMES[type(entry)]
    common = {name: told[name] for name in takewhile(lambda name: name not in names, told)}
    own = len(told) - len(common)
    shared = _written(common)
    if isinstance(entry, Decided):  # the time at which its flags were asked ends the fields in common, and is its own
        last = [*common][-1:] + [*told.get("flags", ())][-1:]
        if last != ["flags", "evaluated_us"] or shared[-_EVALUATED_BYTES:-8] != _EVALUATED + b"\xcf":
            return None
        shared, own = shared[:-_EVALUATED_BYTES], own + 1
    head = 1 if data[0] >> 4 == 8 else MAP_HEAD_BYTES
    if own > _FIXMAP_MAX or not data.startswith(shared, head):
        return None
    return Alike(data[: head + len(shared)], own, entry)


def _written(fields: dict[str, Any]) -> bytes:
    """The fields as an entry has them, without the head of the map."""
    encoded = ENCODER.encode(fields)
    return encoded[1:] if len(fields) <= _FIXMAP_MAX else encoded[MAP_HEAD_BYTES:]
