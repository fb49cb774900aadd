"""How a flag stands: whether it is on, for whom, and what that means."""

import msgspec

from flags.definitions import Feature, State, Strategy, with_feature
from flags.errors import UnknownFlag
from flags.names import Kind, parse


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """A flag, whether it is on, for whom, and what that means."""

    flag: str
    kind: Kind
    on: bool
    reach: str
    """For whom it is on, such as `everybody`, `25 % of requests, under conditions` or `nobody`."""
    means: str


def switch_of(state: State, flag: str) -> Switch:
    """How a flag stands in a state. Raises: NotAModelFlag, UnknownFlag."""
    _, kind = parse(flag)
    feature = state.feature(flag)
    means = kind.when_on if feature.enabled else kind.when_off
    return Switch(flag=flag, kind=kind, on=feature.enabled, reach=reach_of(feature), means=means)


def switch_in(state: State, flag: str) -> Switch:
    """How a flag stands for a request: one that the state does not have is off. Raises: NotAModelFlag."""
    try:
        return switch_of(state, flag)
    except UnknownFlag:
        return switch_of(with_feature(state, Feature(name=flag, enabled=False, strategies=())), flag)


def reach_of(feature: Feature) -> str:
    """For whom a flag is on, in words."""
    live = [strategy for strategy in feature.strategies if not strategy.disabled]
    if not feature.enabled or not live:
        return "nobody"
    if len(live) > 1:
        return f"whoever one of {len(live)} strategies lets in"
    under = ", under conditions" if live[0].constraints or live[0].segments or feature.dependencies else ""
    return f"{_share(live[0])}{under}"


def _share(strategy: Strategy) -> str:
    given = strategy.parameters or {}
    match strategy.name:
        case "flexibleRollout" | "gradualRolloutUserId" | "gradualRolloutSessionId" | "gradualRolloutRandom":
            percent = given.get("rollout") or given.get("percentage", "0")
            return "everybody" if percent == "100" else f"{percent} % of requests"
        case "userWithId":
            return f"{len(given.get('userIds', '').split(','))} users"
        case "remoteAddress":
            return "some addresses"
        case _:
            return "everybody"
