"""What an answer depends on: the fields of the context that a flag's definition reads, and whether chance plays. PURE.

A flag that reads nothing answers everybody alike; one that reads some fields answers equal fields alike; one that looks
at the clock answers alike until the next moment that it names. All this is said only where it is certain: whatever is
not known here counts as chance, and is then asked of the engine every time.

| part | reads |
|---|---|
| a flag that is off, or unknown | nothing |
| a strategy `default`, a full rollout by session | nothing |
| another rollout | its stickiness: user and session by default; at random: chance |
| a variant among several | its stickiness, a strategy's own ones by the strategy's |
| a constraint, a segment's constraint, an override | the field that it names |
| a date that the clock is compared with | on which side of that moment the request is |
| the clock in any other way | chance |
| a flag that it depends on | what that one reads |
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Final

from msgspec import Struct

from flags.definitions import Constraint, Feature, Segment, State, Strategy, Variant
from flags.moments import moment_from

CLOCK: Final = "currentTime"
_AGAINST_THE_CLOCK: Final = ("DATE_AFTER", "DATE_BEFORE")
_DEPTH_MAX: Final = 8
"""How many flags may depend on one another in a row and still be followed; Unleash itself allows two."""
_STICKY_BY_DEFAULT: Final = ("userId", "sessionId")
_ALWAYS_THERE: Final = (None, "", "default", "sessionId", "random")
"""What a full rollout lets everybody in by; whoever lacks another field is left out even then."""
_NEVER_MISSING: Final = (None, "", "default", "sessionId", "tenant", "caller", "model")
_OLD_STRATEGIES: Final = {
    "userWithId": ("userId",),
    "gradualRolloutUserId": ("userId",),
    "gradualRolloutSessionId": ("sessionId",),
    "remoteAddress": ("remoteAddress",),
}


class Reads(Struct, frozen=True, kw_only=True, gc=False):
    """What a flag's answer depends on."""

    fields: tuple[str, ...] = ()
    """The fields of the context, each once, in order; the clock is never among them."""
    moments: tuple[int, ...] = ()
    """The moments at which the answer may change, in microseconds, each once, in order."""
    chance: bool = False
    """Whether equal fields may be answered differently: at random, by the clock, or for a reason not known here.

    The fields are those that are known to be read all the same.
    """

    @property
    def nothing(self) -> bool:
        """Whether everybody is answered alike."""
        return not self.fields and not self.moments and not self.chance


class Rollout(Struct, frozen=True, order=True, gc=False):
    """A share of contexts, drawn by hashing the group with the first of the fields that is there."""

    group: str
    fields: tuple[str, ...]


class _Chance(Enum):
    """The answer may differ between equal contexts."""

    CHANCE = "chance"


NOTHING: Final = Reads()
BY_CHANCE: Final = Reads(chance=True)
CHANCE: Final = _Chance.CHANCE
_Read = str | int | Rollout | _Chance
"""The name of a field, a moment, fields of which only the place in a rollout counts, or chance."""


def reads_of(state: State, flag: str) -> Reads:
    """What the flag's answer depends on in this state."""
    return Reader(state.features, state.segments).reads(flag)


class Reader:
    """Walks the definitions of one state."""

    def __init__(self, features: Iterable[Feature], segments: Iterable[Segment]) -> None:
        self._features = {feature.name: feature for feature in features}
        self._segments = {segment.id: segment.constraints for segment in segments}

    def reads(self, name: str) -> Reads:
        """What the flag's answer depends on."""
        found = set(self._flag(name, ()))
        fields = {each for each in found if isinstance(each, str)}
        drawn = {field for each in found if isinstance(each, Rollout) for field in each.fields}
        moments = (each for each in found if isinstance(each, int))
        return Reads(fields=tuple(sorted(fields | drawn)), moments=tuple(sorted(moments)), chance=CHANCE in found)

    def rollouts(self, name: str) -> tuple[Rollout, ...]:
        """The rollouts that draw by fields of which the flag's answer reads nothing else."""
        found = set(self._flag(name, ()))
        plain = {each for each in found if isinstance(each, str)}
        return tuple(sorted(each for each in found if isinstance(each, Rollout) and not plain & set(each.fields)))

    def _flag(self, name: str, above: tuple[str, ...]) -> Iterator[_Read]:
        """What a flag reads, as one on which those above depend."""
        feature = self._features.get(name)
        if name in above or len(above) > _DEPTH_MAX:
            yield CHANCE
            return
        if feature is None or not feature.enabled:
            return
        for dependency in feature.dependencies:
            yield from self._flag(dependency.feature, (*above, name))
        for strategy in feature.strategies:
            yield from self._strategy(strategy, name)
        yield from _variants(feature.variants, {variant.stickiness for variant in feature.variants})

    def _strategy(self, strategy: Strategy, flag: str) -> Iterator[_Read]:
        yield from _rollout(strategy, flag)
        yield from _constraints(strategy.constraints)
        for segment_id in strategy.segments:
            yield from _constraints(self._segments.get(segment_id, ()))
        # The engine draws a strategy's variants by what the strategy sticks to, whatever they say themselves.
        yield from _variants(strategy.variants, {(strategy.parameters or {}).get("stickiness")})


def _rollout(strategy: Strategy, flag: str) -> Iterable[_Read]:
    if strategy.name == "default":
        return ()
    if strategy.name != "flexibleRollout":
        return _OLD_STRATEGIES.get(strategy.name, (CHANCE,))
    parameters = strategy.parameters or {}
    stickiness = parameters.get("stickiness")
    full = parameters.get("rollout") == "100" and stickiness in _ALWAYS_THERE
    if full or stickiness in ("random", CLOCK):
        return () if full else (CHANCE,)
    return (Rollout(parameters.get("groupId", flag), _sticky_fields(stickiness)),)


def _stickiness(of: str | None) -> tuple[_Read, ...]:
    return (CHANCE,) if of in ("random", CLOCK) else _sticky_fields(of)


def _sticky_fields(of: str | None) -> tuple[str, ...]:
    return _STICKY_BY_DEFAULT if of in (None, "", "default") else (of,)


def _constraints(constraints: Iterable[Constraint]) -> Iterator[_Read]:
    for constraint in constraints:
        yield _moment(constraint) if constraint.context_name == CLOCK else constraint.context_name


def _moment(constraint: Constraint) -> _Read:
    """The moment that a constraint compares the clock with."""
    moment = moment_from(constraint.value or "") if constraint.operator in _AGAINST_THE_CLOCK else None
    return CHANCE if moment is None else moment


def _variants(variants: Sequence[Variant], stickiness: set[str | None]) -> Iterator[_Read]:
    for variant in variants:
        for override in variant.overrides:
            yield CHANCE if override.context_name == CLOCK else override.context_name
    drawn = [variant for variant in variants if variant.weight > 0]
    if variants and not drawn:
        yield CHANCE  # the engine cannot draw from nothing
    if len(drawn) > 1:
        yield from _drawn_by(stickiness)


def _drawn_by(stickiness: set[str | None]) -> tuple[_Read, ...]:
    """The fields that a variant is drawn by; the engine draws at random where one may be missing."""
    (by, *others) = stickiness
    if others or by not in _NEVER_MISSING:
        return CHANCE, *(each for each in stickiness if each not in (None, "", "default", "random", CLOCK))
    return _stickiness(by)
