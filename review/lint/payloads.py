"""Whether the payload of a flag's variant would change what it says: policy numbers of a release. Pure.

A payload counts if it is a JSON object, names the release that answers, and has nothing but numbers that may be
overridden, each within its bounds; any other is ignored and counted while requests are decided.
"""

from collections.abc import Iterator

import msgspec

from flags.definitions import Feature, Payload, Variant
from flags.names import Kind
from gateway.policy import OVERRIDABLE, Policy
from gateway.registry.card import Card
from gateway.registry.reading import faults_in
from review.lint.finding import Finding, Known, Rule


def payload_findings(feature: Feature, kind: Kind, known: Known) -> Iterator[Finding]:
    """What would become of the payloads of a model's flag."""
    for place, variant in _placed(feature):
        if variant.payload is None:
            continue
        if kind is not Kind.AUTOMATED:
            yield _finding("payload-unread", feature, place, "Only the payload of 'automated' is ever read.")
        else:
            yield from _policy_findings(feature, place, variant.payload, known)


def _placed(feature: Feature) -> Iterator[tuple[str, Variant]]:
    for index, variant in enumerate(feature.variants):
        yield f"variants[{index}].payload", variant
    for number, strategy in enumerate(feature.strategies):
        for index, variant in enumerate(strategy.variants):
            yield f"strategies[{number}].variants[{index}].payload", variant


def _policy_findings(feature: Feature, place: str, payload: Payload, known: Known) -> Iterator[Finding]:
    numbers = _object(payload)
    release = numbers.pop("release", None) if numbers is not None else None
    if numbers is None or not isinstance(release, str):
        said = "It is ignored: it has to be of type json, an object with the 'release' that it was written for."
        yield _finding("payload-ignored", feature, place, said)
    elif release not in known.releases:
        said = f"It is ignored: the model has no release '{release}'."
        yield _finding("payload-ignored", feature, place, said)
    else:
        card = known.cards.get(release)
        faults = list(_faults(numbers, card or next(iter(known.cards.values()))))
        for fault in faults:
            yield _finding("payload-ignored", feature, place, f"It is ignored: {fault}.")
        if not faults and card is None:
            said = f"It changes nothing now: {release}, which it was written for, neither serves nor is on trial."
            yield _finding("payload-of-another-release", feature, place, said)


def _object(payload: Payload) -> dict[str, object] | None:
    """The JSON object in a payload."""
    if payload.type != "json":
        return None
    try:
        return msgspec.json.decode(payload.value, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return None


def _faults(numbers: dict[str, object], card: Card) -> Iterator[str]:
    for name in sorted(numbers.keys() - OVERRIDABLE):
        yield f"'{name}' is not to be overridden; only {', '.join(sorted(OVERRIDABLE))} are"
    yield from faults_in({name: numbers[name] for name in sorted(numbers.keys() & OVERRIDABLE)}, Policy)
    by_class = numbers.get("hold_below_by_class")
    if isinstance(by_class, dict) and card.answer.classes:
        for name in sorted(by_class.keys() - set(map(str, card.answer.classes))):
            yield f"hold_below_by_class: the model has no class '{name}'"


def _finding(rule: Rule, feature: Feature, place: str, said: str) -> Finding:
    return Finding(rule=rule, flag=feature.name, place=place, said=said)
