"""What a flag asks of a request's context that no request carries, so that it is never so, or drawn by chance. Pure.

| written | what the engine does |
|---|---|
| a constraint on a field that is never there | it never holds (inverted or NOT_IN: always) |
| a rollout sticking to a field that is never there | it lets nobody in, even at 100 % |
| variants by a field that is never there | one is drawn by chance |
| stickiness `random` | every request draws anew; a retry may be answered otherwise |
"""

from collections.abc import Iterator, Sequence

from flags.definitions import Constraint, Feature, Segment, Strategy, Variant
from gateway.context import AllowedContext
from review.lint.finding import Finding

ALWAYS = frozenset({"sessionId", "environment", "appName", "currentTime", "model", "tenant", "caller"})
"""The fields that every request carries."""
_BY_DEFAULT = (None, "", "default")
_ROLLOUTS = {"gradualRolloutUserId": "userId", "userWithId": "userId", "remoteAddress": "remoteAddress"}
"""The field that a strategy of Unleash's older forms reads."""


def carried_by(allowed: AllowedContext) -> frozenset[str]:
    """The fields that a request to a model may carry: what every one does, and what its card lets callers tell."""
    told = (("userId", allowed.user), ("remoteAddress", allowed.address))
    return ALWAYS | {name for name, may in told if may} | set(allowed.properties)


def carried_findings(feature: Feature, segments: Sequence[Segment], fields: frozenset[str]) -> Iterator[Finding]:
    """What the flag's strategies and variants ask for that no request has."""
    by_id = {segment.id: segment for segment in segments}
    for index, strategy in enumerate(feature.strategies):
        place = f"strategies[{index}]"
        yield from _constraints(feature.name, strategy.constraints, f"{place}.constraints", fields)
        for segment in (by_id[one] for one in strategy.segments if one in by_id):
            where = f"{place}.segments ({segment.name or segment.id}).constraints"
            yield from _constraints(feature.name, segment.constraints, where, fields)
        yield from _sticking(feature.name, strategy, place, fields)
    yield from _variants(feature.name, feature.variants, fields)


def _constraints(flag: str, written: Sequence[Constraint], place: str, fields: frozenset[str]) -> Iterator[Finding]:
    for index, constraint in enumerate(written):
        if constraint.context_name not in fields:
            turned = constraint.inverted != (constraint.operator == "NOT_IN")
            said = (
                f"No request carries '{constraint.context_name}', so this {'always' if turned else 'never'} holds; "
                f"requests carry {', '.join(sorted(fields))}."
            )
            yield Finding(rule="field-never-sent", flag=flag, place=f"{place}[{index}].contextName", said=said)


def _sticking(flag: str, strategy: Strategy, place: str, fields: frozenset[str]) -> Iterator[Finding]:
    if strategy.name == "gradualRolloutRandom":
        yield _by_chance(flag, f"{place}.name")
    elif strategy.name in _ROLLOUTS and _ROLLOUTS[strategy.name] not in fields:
        said = f"No request carries '{_ROLLOUTS[strategy.name]}', so this strategy lets nobody in."
        yield Finding(rule="field-never-sent", flag=flag, place=f"{place}.name", said=said)
    elif strategy.name == "flexibleRollout":
        by = (strategy.parameters or {}).get("stickiness")
        where = f"{place}.parameters.stickiness"
        if by == "random":
            yield _by_chance(flag, where)
        elif by not in _BY_DEFAULT and by not in fields:
            said = f"No request carries '{by}', so this rollout lets nobody in, whatever its percentage."
            yield Finding(rule="stickiness-without-a-key", flag=flag, place=where, said=said)


def _variants(flag: str, variants: Sequence[Variant], fields: frozenset[str]) -> Iterator[Finding]:
    """A flag's own variants; those of a strategy are drawn by what the strategy sticks to."""
    if len([variant for variant in variants if variant.weight > 0]) > 1:
        for index, variant in enumerate(variants):
            where = f"variants[{index}].stickiness"
            if variant.stickiness == "random":
                yield _by_chance(flag, where)
            elif variant.stickiness not in _BY_DEFAULT and variant.stickiness not in fields:
                said = f"No request carries '{variant.stickiness}', so the variant is drawn by chance."
                yield Finding(rule="stickiness-without-a-key", flag=flag, place=where, said=said)


def _by_chance(flag: str, place: str) -> Finding:
    said = "Every request draws anew: a retry may be answered otherwise, and no decision can be evaluated again."
    return Finding(rule="drawn-by-chance", flag=flag, place=place, said=said)
