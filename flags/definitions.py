"""Feature states in Unleash's own JSON, as values and the edits that make one from another. PURE.

An unknown field is refused rather than dropped: a misspelt `constraint` would otherwise switch a flag on for everybody
whom the constraint was meant to leave out. The canonical form (sorted keys, features by name, segments by id, defaults
left out) has one digest for one meaning.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from flags.errors import InvalidFlags, NotAFeatureState, SeveralStrategies, UnknownFlag
from flags.names import describe, of_model


class Value(
    Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True, gc=False
):
    """A part of a feature state.

    None can hold itself, so the collector of cycles, which would stop everything else, need not look at thousands.
    """


class Constraint(Value, frozen=True, kw_only=True):
    """A condition on one field of the context. `values` serves IN, NOT_IN, STR_* and IN_CIDR; `value` the others."""

    context_name: str
    operator: str
    values: tuple[str, ...] = ()
    value: str | None = None
    inverted: bool = False
    case_insensitive: bool = False


class Segment(Value, frozen=True, kw_only=True):
    """A named list of constraints that strategies refer to by id."""

    id: int
    name: str | None = None
    constraints: tuple[Constraint, ...]
    description: str | None = None
    project: str | None = None
    created_at: str | None = None
    created_by: str | None = None


class Payload(Value, frozen=True, kw_only=True):
    """What a variant carries: text with a type, `string`, `json`, `csv` or `number`."""

    type: str
    value: str


class Override(Value, frozen=True, kw_only=True):
    """Context values that get a variant whatever their share."""

    context_name: str
    values: tuple[str, ...]


class Variant(Value, frozen=True, kw_only=True):
    """One of several answers of a flag that is on, drawn by weight and stickiness."""

    name: str
    weight: int
    weight_type: str | None = None
    stickiness: str | None = None
    payload: Payload | None = None
    overrides: tuple[Override, ...] = ()


class Strategy(Value, frozen=True, kw_only=True):
    """A way to be on: its parameters, and constraints and segments that must all hold."""

    name: str
    parameters: dict[str, str] | None = None
    constraints: tuple[Constraint, ...] = ()
    segments: tuple[int, ...] = ()
    variants: tuple[Variant, ...] = ()
    disabled: bool = False
    id: str | None = None
    title: str | None = None
    sort_order: int | None = None
    feature_name: str | None = None


class Dependency(Value, frozen=True, kw_only=True):
    """Another flag that must be on (or off, or on with one of the variants) before this one is asked."""

    feature: str
    enabled: bool = True
    variants: tuple[str, ...] = ()


class Feature(Value, frozen=True, kw_only=True):
    """A flag: on where it is enabled and at least one of its strategies says so."""

    name: str
    enabled: bool
    strategies: tuple[Strategy, ...]
    description: str | None = None
    variants: tuple[Variant, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    type: str | None = None
    project: str | None = None
    stale: bool = False
    impression_data: bool = False
    created_at: str | None = None
    last_seen_at: str | None = None


class State(Value, frozen=True, kw_only=True):
    """Every flag and segment that is in force together."""

    version: int = 2
    features: tuple[Feature, ...] = ()
    segments: tuple[Segment, ...] = ()

    def feature(self, flag: str) -> Feature:
        """The flag of this name; raises `UnknownFlag`."""
        for feature in self.features:
            if feature.name == flag:
                return feature
        raise UnknownFlag(flag=flag)


FOR_ALL: Final = Strategy(name="default")
_PLACE: Final = re.compile(r" - at `\$\.?(?:(features|segments)\[(\d+)\])?\.?([^`]*)`$")
_Part = TypeVar("_Part", bound=Value)


def state_from(body: bytes) -> State:
    """The state that a JSON text describes; raises `InvalidFlags`, naming flag and place, where it is none."""
    plain = _plain(body)
    try:
        return msgspec.convert(plain, State)
    except msgspec.ValidationError as error:
        raise InvalidFlags(problems=_named(str(error), plain)) from error


def feature_from(body: bytes, flag: str) -> Feature:
    """The flag that a JSON object describes; its name is `flag` whether or not the object says so."""
    found = part_from(body, Feature, f"Flag '{flag}'", name=flag)
    if found.name != flag:
        raise InvalidFlags(problems=f"Flag '{flag}': name: expected '{flag}', got '{found.name}'.")
    return found


def segment_from(body: bytes, segment_id: int) -> Segment:
    """The segment that a JSON object describes; its id is `segment_id` whether or not the object says so."""
    found = part_from(body, Segment, f"Segment {segment_id}", id=segment_id)
    if found.id != segment_id:
        raise InvalidFlags(problems=f"Segment {segment_id}: id: expected {segment_id}, got {found.id}.")
    return found


def part_from(body: bytes, of: type[_Part], what: str = "A part", **key: object) -> _Part:
    """The part that a JSON object describes, with its key filled in where the object leaves it out."""
    plain = _plain(body)
    if isinstance(plain, dict):
        plain = key | plain
    try:
        return msgspec.convert(plain, of)
    except msgspec.ValidationError as error:
        raise InvalidFlags(problems=f"{what}: {_named(str(error), plain)}") from error


def body_of(state: State) -> bytes:
    """The canonical JSON of a state."""
    ordered = replace(
        state,
        features=tuple(sorted(state.features, key=lambda feature: feature.name)),
        segments=tuple(sorted(state.segments, key=lambda segment: segment.id)),
    )
    plain = msgspec.to_builtins(ordered)
    return msgspec.json.encode({"version": state.version, "features": [], **plain}, order="sorted")


def canonical_json(body: bytes) -> bytes:
    """The JSON text with its keys sorted and no spaces; raises `NotAFeatureState` where it is not JSON."""
    try:
        return msgspec.json.encode(msgspec.json.decode(body), order="sorted")
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise NotAFeatureState(why="it is not JSON, or too deep") from error


def digest_of(body: bytes) -> str:
    """The sha256 of a canonical body, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def with_model_flags(state: State, model: str) -> State:
    """The state with the model's three flags, those it lacks off; switched on, they are on for everybody."""
    known = {feature.name for feature in state.features}
    added = tuple(_off(flag) for flag in of_model(model).all() if flag not in known)
    return replace(state, features=state.features + added)


def with_feature(state: State, feature: Feature) -> State:
    """The state with this flag in the place of the one of the same name, or beside the others."""
    others = tuple(other for other in state.features if other.name != feature.name)
    return replace(state, features=(*others, feature))


def with_segment(state: State, segment: Segment) -> State:
    """The state with this segment in the place of the one of the same id, or beside the others."""
    others = tuple(other for other in state.segments if other.id != segment.id)
    return replace(state, segments=(*others, segment))


def switched(state: State, flag: str, *, on: bool) -> State:
    """The state with the flag switched; its strategies stay, so that on means what it meant before."""
    return with_feature(state, replace(state.feature(flag), enabled=on))


def rolled_out(state: State, flag: str, percent: int, *, stickiness: str = "default") -> State:
    """The state with the flag's one strategy a rollout to `percent` of its contexts, same constraints as before."""
    strategy = _only_strategy(state.feature(flag))
    parameters = {"rollout": str(percent), "stickiness": stickiness, "groupId": flag}
    return _with_strategy(state, flag, replace(strategy, name="flexibleRollout", parameters=parameters))


def constrained(state: State, flag: str, constraints: Sequence[Constraint], segments: Sequence[int] = ()) -> State:
    """The state with these constraints and segments on the flag's one strategy, in the place of those it had."""
    strategy = _only_strategy(state.feature(flag))
    narrowed = replace(strategy, constraints=tuple(constraints), segments=tuple(segments))
    return _with_strategy(state, flag, narrowed)


def with_variants(state: State, flag: str, variants: Sequence[Variant]) -> State:
    """The state with these variants on the flag, in the place of those it had."""
    return with_feature(state, replace(state.feature(flag), variants=tuple(variants)))


def _off(flag: str) -> Feature:
    return Feature(name=flag, enabled=False, strategies=(FOR_ALL,), description=describe(flag), type="release")


def _only_strategy(feature: Feature) -> Strategy:
    if len(feature.strategies) != 1:
        raise SeveralStrategies(flag=feature.name, count=len(feature.strategies))
    return feature.strategies[0]


def _with_strategy(state: State, flag: str, strategy: Strategy) -> State:
    return with_feature(state, replace(state.feature(flag), strategies=(strategy,)))


def _plain(body: bytes) -> object:
    """The JSON text as plain values, without members that are null: to Unleash they are the same as absent."""
    try:
        return _without_nulls(msgspec.json.decode(body))
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise InvalidFlags(problems="This is not JSON, or too deep.") from error


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    return [_without_nulls(member) for member in value] if isinstance(value, list) else value


def _named(message: str, plain: object) -> str:
    """The decoder's message with the flag's name for its index: `Flag 'a.shadow': strategies[0]: Expected …`."""
    found = _PLACE.search(message)
    if not found or not isinstance(plain, dict):
        return f"{message}."
    section, index, place = found.groups()
    owner = _owner(plain[section][int(index)], section, index) if section else ""
    return f"{owner}{place}{': ' if place else ''}{message[: found.start()]}."


def _owner(part: object, section: str, index: str) -> str:
    key, what = ("name", "Flag") if section == "features" else ("id", "Segment")
    known = part.get(key) if isinstance(part, dict) else None
    return f"{section}[{index}]: " if known is None else f"{what} {known!r}: "
