"""Whether a change of a flag lowers human control, and so may need a second person. PURE.

| the flag is a model's `automated` and | lowers |
|---|---|
| it does not change, or it is off afterwards | no |
| it stays on, and its one strategy only reaches fewer requests than before | no |
| it is switched on, reaches more, or changes in any other way while it is on | yes |

The same goes for a flag on which a model's `automated` depends: any change of it may let more answers out, so each one
lowers. What `shadow` and `candidate` do is bounded by a trial and its canary, which operators open; they lower nothing.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from flags.definitions import Feature, State, Strategy
from flags.names import Kind

EVERYBODY = {"rollout": "100"}


def lowered_by_flag(before: State, after: State, flag: str) -> tuple[str, ...]:
    """Each way in which the change of a flag lowers human control, as a sentence; none when it does not."""
    was, shall = (_feature(state, flag) for state in (before, after))
    if was == shall:
        return ()
    return tuple(_itself(was, shall, flag)) + tuple(_through(before, after, flag))


def _itself(was: Feature | None, shall: Feature | None, flag: str) -> Iterator[str]:
    if not _is_automated(flag) or shall is None or not shall.enabled:
        return
    if was is None or not was.enabled:
        yield f"{flag} is switched on: answers go out without a person."
    elif not _only_fewer(was, shall):
        yield f"{flag} may let more answers out without a person than before."


def _through(before: State, after: State, flag: str) -> Iterator[str]:
    """The models' flags that depend on this one, before or after."""
    dependents = {
        feature.name
        for state in (before, after)
        for feature in state.features
        if _is_automated(feature.name) and feature.name != flag and flag in _above(state, feature.name, ())
    }
    for name in sorted(dependents):
        yield f"{name} depends on {flag}, so answers may go out without a person that did not before."


def _above(state: State, flag: str, seen: tuple[str, ...]) -> Iterator[str]:
    """The flags on which one depends, however far up."""
    feature = _feature(state, flag)
    for dependency in feature.dependencies if feature is not None and flag not in seen else ():
        yield dependency.feature
        yield from _above(state, dependency.feature, (*seen, flag))


def _only_fewer(was: Feature, shall: Feature) -> bool:
    """Whether nothing differs but that the one strategy reaches fewer requests, the others as before."""
    if len(was.strategies) != 1 or len(shall.strategies) != 1:
        return False
    before, after = was.strategies[0], shall.strategies[0]
    if replace(shall, strategies=was.strategies) != was or _rest(before) != _rest(after):
        return False
    ours, theirs = _parameters(before), _parameters(after)
    if not ours["rollout"].isdecimal() or not theirs["rollout"].isdecimal():
        return False
    sticks_alike = ours == EVERYBODY or ours | EVERYBODY == theirs | EVERYBODY
    return sticks_alike and int(theirs["rollout"]) <= int(ours["rollout"])


def _rest(strategy: Strategy) -> Strategy:
    return replace(strategy, name="", parameters=None)


def _parameters(strategy: Strategy) -> dict[str, str]:
    """What a rollout says; a strategy for everybody is a rollout to all."""
    if strategy.name == "default":
        return EVERYBODY
    known = strategy.parameters or {}
    return {"rollout": "", **known} if strategy.name == "flexibleRollout" else {"rollout": ""}


def _feature(state: State, flag: str) -> Feature | None:
    return next((feature for feature in state.features if feature.name == flag), None)


def _is_automated(flag: str) -> bool:
    model, _, kind = flag.rpartition(".")
    return bool(model) and kind == Kind.AUTOMATED.value
