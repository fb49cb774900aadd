"""Places in a rollout, many at once."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flags.buckets import places
from flags.context import encoded_values
from flags.definitions import State, body_of, rolled_out, switched, with_model_flags
from flags.folding import FoldedFlags, fold
from flags.reading import Reader, Rollout

FLAG = "sentiment.automated"
ON = switched(with_model_flags(State(), "sentiment"), FLAG, on=True)


@cache
def flags_to(percent: int) -> FoldedFlags:
    """The flags with a rollout to so many percent of sessions."""
    return fold(body_of(rolled_out(ON, FLAG, percent, stickiness="sessionId")))


@given(values=st.lists(st.text(max_size=20), max_size=20))
def test_a_value_is_let_in_from_its_place_on(values: list[str]) -> None:
    """The engine answers on for a rollout to the place that was found, and off for one to a percent less."""
    for value, place in zip(values, places(FLAG, values).tolist(), strict=True):
        context = [encoded_values({"sessionId": value})]
        sent = next(flags_to(place).ask(FLAG, context))
        assert sent.enabled or not value
        assert place == 1 or not next(flags_to(place - 1).ask(FLAG, context)).enabled


def test_what_is_not_there_has_no_place() -> None:
    """None is at 0, beside others of any length."""
    assert places(FLAG, [None, "a", "ab" * 40, None]).tolist()[::3] == [0, 0]


@pytest.mark.parametrize(
    ("state", "rollouts"),
    [
        pytest.param(ON, (), id="on for all"),
        pytest.param(rolled_out(ON, FLAG, 25), (Rollout(FLAG, ("userId", "sessionId")),), id="by default"),
        pytest.param(rolled_out(ON, FLAG, 25, stickiness="tenant"), (Rollout(FLAG, ("tenant",)),), id="by tenant"),
        pytest.param(rolled_out(ON, FLAG, 25, stickiness="random"), (), id="at random"),
        pytest.param(rolled_out(ON, FLAG, 100), (), id="everybody"),
    ],
)
def test_a_rollout_is_told_by_its_group_and_fields(state: State, rollouts: tuple[Rollout, ...]) -> None:
    """Each state gives the rollouts of which nothing but the place counts."""
    assert Reader(state.features, state.segments).rollouts(FLAG) == rollouts
