"""Whether a state means to the engine what it says; every write passes here first.

The engine forgives: what it cannot read it answers with off, and some slips it answers with *on for everybody* (a flag
without an active strategy, an unreadable condition that is inverted). Both are refused, with the flag, the place and
what was expected. Custom strategies are refused because they are code: no recorded decision could be replayed.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from flags.conditions import Finding, constraint_findings, unfit_name, unfit_network, unfit_text
from flags.definitions import Dependency, Feature, Payload, Segment, State, Strategy, Variant, body_of
from flags.engine import load
from flags.errors import InvalidFlags

_FLAG: Final = re.compile(r"[A-Za-z0-9._~-]{1,100}", re.ASCII)
_PERCENT: Final = re.compile(r"0|[1-9]\d?|100", re.ASCII)
_WEIGHT_MAX: Final = 1000


def validated(state: State) -> bytes:
    """The canonical body of a state that the engine reads as it is written; raises `InvalidFlags` for any other."""
    if sentences := problems(state):
        raise InvalidFlags(problems=" ".join(sentences))
    body = body_of(state)
    if load(body).warning:
        raise InvalidFlags(problems="The engine cannot evaluate a part of them, most likely for its punctuation.")
    return body


def problems(state: State) -> tuple[str, ...]:
    """One sentence for each thing wrong with a state: whose it is, where, what was expected, what was found."""
    return tuple(f"{owner}: {place}: {finding}." for owner, place, finding in findings(state))


def findings(state: State) -> Iterator[tuple[str, str, str]]:
    """The same in parts: whose it is, such as `Flag 'm.shadow'`, the place in it, and what was expected and found."""
    for finding in _state_findings(state):
        yield "State", *finding
    for segment in state.segments:
        for finding in _segment_findings(segment):
            yield f"Segment {segment.id}", *finding
    for feature in state.features:
        for finding in _feature_findings(feature, state):
            yield f"Flag '{feature.name}'", *finding


def _state_findings(state: State) -> Iterator[Finding]:
    if state.version not in (1, 2):
        yield "version", f"expected 2; got {state.version}"
    for name in _repeated(feature.name for feature in state.features):
        yield "features", f"expected each flag once; '{name}' is there more often"
    for segment_id in _repeated(str(segment.id) for segment in state.segments):
        yield "segments", f"expected each segment once; {segment_id} is there more often"


def _segment_findings(segment: Segment) -> Iterator[Finding]:
    for index, constraint in enumerate(segment.constraints):
        yield from constraint_findings(constraint, f"constraints[{index}]")


def _feature_findings(feature: Feature, state: State) -> Iterator[Finding]:
    if not _FLAG.fullmatch(feature.name):
        yield "name", f"expected 1 to 100 letters, digits, '.', '_', '~' or '-'; got {feature.name!r}"
    if all(strategy.disabled for strategy in feature.strategies):
        yield (
            "strategies",
            "expected an active one: without any, on is on for everybody; write 'default' to mean that",
        )
    known = {segment.id for segment in state.segments}
    for index, strategy in enumerate(feature.strategies):
        yield from _strategy_findings(strategy, f"strategies[{index}]", known, feature.name)
    yield from _variants_findings(feature.variants, "variants", feature.name)
    for index, dependency in enumerate(feature.dependencies):
        yield from _dependency_findings(dependency, f"dependencies[{index}]", feature.name, state)


def _strategy_findings(strategy: Strategy, place: str, known: set[int], flag: str) -> Iterator[Finding]:
    yield from _parameters_findings(strategy, place)
    for index, constraint in enumerate(strategy.constraints):
        yield from constraint_findings(constraint, f"{place}.constraints[{index}]")
    for segment_id in strategy.segments:
        if segment_id not in known:
            yield f"{place}.segments", f"expected the id of a segment in 'segments'; got {segment_id}"
    yield from _variants_findings(strategy.variants, f"{place}.variants", flag)
    for index, variant in enumerate(strategy.variants):
        if variant.overrides:
            yield f"{place}.variants[{index}].overrides", "expected none: only a flag's own variants have overrides"


def _parameters_findings(strategy: Strategy, place: str) -> Iterator[Finding]:
    if strategy.name not in _STRATEGIES:
        yield f"{place}.name", _refused_strategy(strategy.name)
        return
    required, optional = _STRATEGIES[strategy.name]
    given = strategy.parameters or {}
    for name in required.keys() - given.keys():
        yield f"{place}.parameters.{name}", f"expected it: '{strategy.name}' needs it"
    checks = {**required, **optional}
    for name, value in given.items():
        reason = checks[name](value) if name in checks else f"expected {_listed(checks)}; got '{name}'"
        if reason:
            yield f"{place}.parameters.{name}", reason


def _refused_strategy(name: str) -> str:
    if name == "applicationHostname":
        return "this strategy depends on which machine answers, so no decision could be replayed; use a constraint"
    return f"expected {_listed(_STRATEGIES)}; got '{name}': custom strategies are code, which cannot be replayed"


def _variants_findings(variants: Sequence[Variant], place: str, flag: str) -> Iterator[Finding]:
    if variants and sum(variant.weight for variant in variants) <= 0:
        yield place, "expected a weight above 0 on at least one"
    for name in _repeated(variant.name for variant in variants):
        yield place, f"expected each variant once; '{name}' is there more often"
    for index, variant in enumerate(variants):
        yield from _variant_findings(variant, f"{place}[{index}]", flag)


def _variant_findings(variant: Variant, place: str, flag: str) -> Iterator[Finding]:
    if not variant.name:
        yield f"{place}.name", "expected a name"
    if not 0 <= variant.weight <= _WEIGHT_MAX:
        yield f"{place}.weight", f"expected 0 to {_WEIGHT_MAX}; got {variant.weight}"
    if variant.weight_type not in (None, "fix", "variable"):
        yield f"{place}.weightType", f"expected fix or variable; got '{variant.weight_type}'"
    if variant.stickiness is not None and (reason := unfit_name(variant.stickiness)):
        yield f"{place}.stickiness", reason
    for index, override in enumerate(variant.overrides):
        if not override.values:
            yield f"{place}.overrides[{index}].values", "expected at least one"
    if variant.payload is not None and (reason := _unfit_payload(variant.payload, flag)):
        yield f"{place}.payload", reason


def _unfit_payload(payload: Payload, flag: str) -> str | None:
    if payload.type not in _PAYLOADS:
        return f"expected the type to be {_listed(_PAYLOADS)}; got '{payload.type}'"
    if flag.endswith(".automated") and not _names_a_release(_parsed(payload)):
        return "expected type json and a JSON object: policy numbers, and the 'release' that they were written for"
    return _PAYLOADS[payload.type](payload)


def _names_a_release(parsed: object) -> bool:
    return isinstance(parsed, dict) and isinstance(parsed.get("release"), str)


def _any_text(payload: Payload) -> None:  # noqa: ARG001  one signature for every type
    return None


def _unfit_json(payload: Payload) -> str | None:
    return "expected valid JSON" if isinstance(_parsed(payload), msgspec.UnsetType) else None


def _unfit_number(payload: Payload) -> str | None:
    number = msgspec.structs.replace(payload, type="json")
    return None if isinstance(_parsed(number), int | float) else f"expected a number; got {payload.value!r}"


def _parsed(payload: Payload) -> object:
    """The value of a JSON payload; UNSET where it is of another type or is no JSON."""
    try:
        return msgspec.json.decode(payload.value) if payload.type == "json" else msgspec.UNSET
    except (msgspec.DecodeError, RecursionError):
        return msgspec.UNSET


def _dependency_findings(dependency: Dependency, place: str, flag: str, state: State) -> Iterator[Finding]:
    parents = [feature for feature in state.features if feature.name == dependency.feature != flag]
    if not parents:
        yield f"{place}.feature", f"expected the name of another flag; got '{dependency.feature}'"
        return
    if parents[0].dependencies:
        yield f"{place}.feature", f"expected a flag that depends on none; '{dependency.feature}' does"
    offered = {variant.name for variant in _all_variants(parents[0])}
    for name in dependency.variants:
        if name not in offered:
            yield f"{place}.variants", f"expected variants of '{dependency.feature}'; got '{name}'"


def _all_variants(feature: Feature) -> Iterator[Variant]:
    yield from feature.variants
    for strategy in feature.strategies:
        yield from strategy.variants


def _unfit_percent(text: str) -> str | None:
    return None if _PERCENT.fullmatch(text) else f"expected a whole number from 0 to 100, as text; got {text!r}"


def _unfit_users(text: str) -> str | None:
    users = [user.strip() for user in text.split(",")]
    if not any(users):
        return "expected at least one user id"
    return next(filter(None, map(unfit_text, users)), None)


def _unfit_addresses(text: str) -> str | None:
    return next(filter(None, (unfit_network(address.strip()) for address in text.split(","))), None)


def _repeated(names: Iterable[str]) -> Iterator[str]:
    return (name for name, count in Counter(names).items() if count > 1)


def _listed(names: Iterable[str]) -> str:
    return " or ".join(names) or "no parameters"


_Checks = Mapping[str, Callable[[str], str | None]]
_PERCENTAGE: Final[_Checks] = {"percentage": _unfit_percent}
_GROUP: Final[_Checks] = {"groupId": unfit_name}
_STRATEGIES: Final[Mapping[str, tuple[_Checks, _Checks]]] = {
    "default": ({}, {}),
    "flexibleRollout": ({"rollout": _unfit_percent}, {"stickiness": unfit_name, **_GROUP}),
    "userWithId": ({"userIds": _unfit_users}, {}),
    "remoteAddress": ({"IPs": _unfit_addresses}, {}),
    "gradualRolloutUserId": (_PERCENTAGE, _GROUP),
    "gradualRolloutSessionId": (_PERCENTAGE, _GROUP),
    "gradualRolloutRandom": (_PERCENTAGE, _GROUP),
}
"""Unleash's own strategies, with the parameters each needs and those it may have."""
KNOWN_STRATEGIES: Final = tuple(_STRATEGIES)
_PAYLOADS: Final[Mapping[str, Callable[[Payload], str | None]]] = {
    "string": _any_text,
    "csv": _any_text,
    "json": _unfit_json,
    "number": _unfit_number,
}
