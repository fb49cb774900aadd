"""Holds a feature state against the models whose flags it has: what would surprise, each with its rule. Pure.

The state may be one that nobody validated, such as that of an Unleash server: each flag is read by itself, so that one
that cannot be read does not hide the others. Flags that are no model's are of no interest, unless one of ours depends
on them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from flags.definitions import Feature, Segment, State, Value, part_from
from flags.errors import InvalidFlags
from flags.names import Kind, of_model
from flags.validation import KNOWN_STRATEGIES, findings
from review.lint.carried import carried_findings
from review.lint.finding import Finding, Known
from review.lint.payloads import payload_findings

NO_STRATEGY = "strategies"
"""The place of a flag without an active strategy."""
_KINDS = frozenset(Kind)
_Part = TypeVar("_Part", bound=Value)


class _Read(msgspec.Struct, frozen=True, kw_only=True):
    """What could be read of a state, and what could not."""

    features: tuple[Feature, ...]
    segments: tuple[Segment, ...]
    unreadable: tuple[Finding, ...]


class _Raw(msgspec.Struct, frozen=True, kw_only=True):
    features: tuple[dict[str, object], ...] = ()
    segments: tuple[dict[str, object], ...] = ()


def lint(body: bytes, models: Mapping[str, Known]) -> tuple[Finding, ...]:
    """Everything in a feature state that would surprise, flag by flag. Raises: msgspec.DecodeError for no state."""
    read = _read(msgspec.json.decode(body, type=_Raw))
    state = State(features=read.features, segments=read.segments)
    found = [*_missing(read, models), *read.unreadable, *_misread(state)]
    for feature in read.features:
        found += _feature_findings(feature, state, models)
    return tuple(sorted(found, key=lambda one: (one.flag, one.place)))


def _read(raw: _Raw) -> _Read:
    """The flags of models, the flags that those depend on, and the segments that all of them refer to."""
    features: dict[str, Feature] = {}
    unreadable: list[Finding] = []
    by_name = {str(one.get("name")): one for one in raw.features}
    wanted = [name for name in by_name if is_models(name)]
    while wanted:
        name = wanted.pop()
        if name not in by_name or name in features:
            continue
        feature = _part(by_name[name], Feature, name)
        if isinstance(feature, Finding):
            unreadable.append(feature)
            continue
        features[name] = feature
        wanted += [one.feature for one in feature.dependencies]
    used = {str(one) for each in features.values() for strategy in each.strategies for one in strategy.segments}
    parts = [_part(one, Segment, f"segment {one.get('id')}") for one in raw.segments if str(one.get("id")) in used]
    return _Read(
        features=tuple(features.values()),
        segments=tuple(part for part in parts if isinstance(part, Segment)),
        unreadable=(*unreadable, *(part for part in parts if isinstance(part, Finding))),
    )


def _part(plain: Mapping[str, object], kind: type[_Part], owner: str) -> _Part | Finding:
    try:
        return part_from(msgspec.json.encode(plain), kind, owner)
    except InvalidFlags as error:
        said = str(error.fields["problems"]).removeprefix(f"{owner}: ")
        return Finding(rule="unreadable", flag=owner, place="", said=f"Lockgate cannot read it: {said}")


def is_models(name: str) -> bool:
    """Whether the name is one that a model's flag may have."""
    model, _, kind = name.rpartition(".")
    return bool(model) and kind in _KINDS


def _missing(read: _Read, models: Mapping[str, Known]) -> Iterator[Finding]:
    """The flags that a model should have and has not, and those whose model there is none."""
    there = {feature.name for feature in read.features} | {one.flag for one in read.unreadable}
    for flag in (flag for model in models for flag in of_model(model).all()):
        if flag not in there:
            yield Finding(rule="missing", flag=flag, place="", said="It is not there, or archived, and so it is off.")
    for feature in read.features:
        model = feature.name.rpartition(".")[0]
        if is_models(feature.name) and model not in models:
            yield Finding(rule="no-such-model", flag=feature.name, place="", said=f"There is no model '{model}'.")


def _misread(state: State) -> Iterator[Finding]:
    """What the engine would read otherwise than it is written. A flag that is off may be without a strategy."""
    enabled = {feature.name for feature in state.features if feature.enabled}
    for owner, place, said in findings(state):
        flag = owner.removeprefix("Flag ").strip("'").replace("Segment", "segment")
        if place == NO_STRATEGY and owner.startswith("Flag ") and flag not in enabled:
            continue
        if place.endswith(".name") and "custom strategies are code" in said:
            yield Finding(rule="custom-strategy", flag=flag, place=place, said=_sentence(said))
        elif not place.endswith(".payload"):
            yield Finding(rule="misread", flag=flag, place=place, said=_sentence(said))


def _feature_findings(feature: Feature, state: State, models: Mapping[str, Known]) -> Iterator[Finding]:
    model, _, kind = feature.name.rpartition(".")
    if not is_models(feature.name) or model not in models:
        return
    known = models[model]
    yield from carried_findings(feature, state.segments, known.fields)
    yield from payload_findings(feature, Kind(kind), known)
    if feature.stale:
        yield Finding(rule="stale", flag=feature.name, place="stale", said="It is marked as stale, and still decides.")
    if feature.enabled and _reaches_nobody(feature):
        said = "It is on, and every one of its rollouts is 0 %, so it is off for everybody."
        yield Finding(rule="on-for-nobody", flag=feature.name, place="strategies", said=said)


def _reaches_nobody(feature: Feature) -> bool:
    live: Sequence[Mapping[str, str]] = [
        one.parameters or {} for one in feature.strategies if not one.disabled and one.name in KNOWN_STRATEGIES
    ]
    return bool(live) and all(one.get("rollout", one.get("percentage")) == "0" for one in live)


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}."
