"""A state read a few flags at a time, for a thread that has others to serve between two slices. PURE."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from flags.definitions import Feature, Segment, Value, part_from
from flags.errors import InvalidFlags
from flags.reading import Reader, Reads

SLICE: Final = 20
"""How many flags are read in one go: about a third of a millisecond."""

_Read = TypeVar("_Read")
_Part = TypeVar("_Part", bound=Value)


class _Parts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A state whose parts are not read yet."""

    version: int = 2
    features: tuple[msgspec.Raw, ...] = ()
    segments: tuple[msgspec.Raw, ...] = ()


_PARTS: Final = msgspec.json.Decoder(_Parts)

Slices = Generator[None, None, _Read]
"""Work that stops after each slice and ends with what it was for."""


def reads_in_slices(body: bytes) -> Slices[Mapping[str, Reads] | None]:
    """What each flag of a state reads; None where the definitions are of a form that is not known here."""
    try:
        parts = _PARTS.decode(body)
        features = yield from _parts(parts.features, Feature)
        segments = yield from _parts(parts.segments, Segment)
    except (msgspec.DecodeError, RecursionError, UnicodeError, InvalidFlags):
        return None
    reader = Reader(features, segments)
    reads: dict[str, Reads] = {}
    for some in _sliced(features):
        reads |= {feature.name: reader.reads(feature.name) for feature in some}
        yield
    return reads


def at_once(slices: Slices[_Read]) -> _Read:
    """What the work was for, done without a stop."""
    while True:
        try:
            next(slices)
        except StopIteration as done:
            found: _Read = done.value
            return found


def _parts(raw: Sequence[msgspec.Raw], of: type[_Part]) -> Slices[list[_Part]]:
    found: list[_Part] = []
    for some in _sliced(raw):
        found += [part_from(bytes(one), of) for one in some]
        yield
    return found


def _sliced(parts: Sequence[_Read]) -> Iterator[Sequence[_Read]]:
    return (parts[start : start + SLICE] for start in range(0, len(parts), SLICE))
