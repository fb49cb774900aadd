"""Reads a state that nobody here validated, such as a newer Unleash server's, for people to look at. PURE.

The engine evaluates whatever it was given; what people are shown leaves out the members that nobody here knows. A flag
that cannot be read even so is shown as on for everybody where it is on, the gravest that it may be; `lockgate flags
lint` says what is wrong with it.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from flags.definitions import (
    FOR_ALL,
    Constraint,
    Dependency,
    Feature,
    Override,
    Payload,
    Segment,
    State,
    Strategy,
    Value,
    Variant,
    part_from,
    state_from,
)
from flags.errors import InvalidFlags

_PARTS: Final[Mapping[type[Value], Mapping[str, type[Value]]]] = {
    Feature: {"strategies": Strategy, "variants": Variant, "dependencies": Dependency},
    Strategy: {"constraints": Constraint, "variants": Variant},
    Variant: {"payload": Payload, "overrides": Override},
    Segment: {"constraints": Constraint},
}


class _Raw(msgspec.Struct, frozen=True, kw_only=True):
    features: tuple[dict[str, Any], ...] = ()
    segments: tuple[dict[str, Any], ...] = ()


def shown_state(body: bytes) -> State:
    """The state with all in it that is known here; raises `InvalidFlags` only for what is no state at all."""
    try:
        return state_from(body)
    except InvalidFlags:
        try:
            raw = msgspec.json.decode(body, type=_Raw)
        except msgspec.DecodeError as error:
            raise InvalidFlags(problems="This is no feature state.") from error
    segments = (_read(one, Segment) for one in raw.segments)
    return State(
        features=tuple(map(_feature, raw.features)),
        segments=tuple(one for one in segments if isinstance(one, Segment)),
    )


def _feature(plain: Mapping[str, Any]) -> Feature:
    found = _read(plain, Feature)
    if isinstance(found, Feature):
        return found
    return Feature(name=str(plain.get("name")), enabled=plain.get("enabled") is True, strategies=(FOR_ALL,))


def _read(plain: Mapping[str, Any], kind: type[Feature] | type[Segment]) -> Value | None:
    try:
        return part_from(msgspec.json.encode(_known(plain, kind)), kind)
    except InvalidFlags:
        return None


def _known(plain: Any, kind: type[Value]) -> Any:
    """The members that a part of this kind has, and of their parts the same."""
    if isinstance(plain, list):
        return [_known(each, kind) for each in plain]
    if not isinstance(plain, dict):
        return plain
    names = {field.encode_name for field in msgspec.structs.fields(kind)}
    parts = _PARTS.get(kind, {})
    kept = {name: member for name, member in plain.items() if name in names}
    return {name: _known(member, parts[name]) if name in parts else member for name, member in kept.items()}
