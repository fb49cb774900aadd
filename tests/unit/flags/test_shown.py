"""A state that nobody validated is shown as far as it is known."""

import json
from typing import Any

import pytest

from flags.definitions import Constraint, State, body_of, with_model_flags
from flags.errors import InvalidFlags
from flags.shown import shown_state
from review.flag_switches import switch_in

CONSTRAINT = {"contextName": "plan", "operator": "IN", "values": ["gold"], "weight": 3}
STRATEGY = {
    "name": "flexibleRollout", "parameters": {"rollout": "25", "stickiness": "default"}, "constraints": [CONSTRAINT],
    "milestone": {"id": 1},
}  # fmt: skip


def state(**feature: Any) -> bytes:
    """A state with one flag and a segment, both with a member that nobody here knows."""
    plain = {"name": "m.automated", "enabled": True, "strategies": [STRATEGY], "lifecycle": {"stage": "live"}}
    segments = [{"id": 1, "constraints": [], "owner": "shop"}, {"name": "without an id"}]
    return json.dumps({"version": 2, "features": [plain | feature], "segments": segments, "query": {}}).encode()


def test_what_nobody_knows_is_left_out() -> None:
    """The rest is read: for whom the flag is on, its constraints, and the segments."""
    shown = shown_state(state())
    (strategy,) = shown.feature("m.automated").strategies
    assert strategy.constraints == (Constraint(context_name="plan", operator="IN", values=("gold",)),)
    assert switch_in(shown, "m.automated").reach == "25 % of requests, under conditions"
    assert [segment.id for segment in shown.segments] == [1]


@pytest.mark.parametrize(("enabled", "reach"), [(True, "everybody"), (False, "nobody")])
def test_a_flag_that_cannot_be_read_is_shown_as_the_gravest(enabled: bool, reach: str) -> None:
    """Where it is on, it is shown as on for everybody."""
    shown = shown_state(state(enabled=enabled, strategies="none of your business"))
    assert switch_in(shown, "m.automated").reach == reach


def test_a_valid_state_is_shown_as_it_is() -> None:
    """Nothing is lost of what is known."""
    valid = with_model_flags(State(), "m")
    assert body_of(shown_state(body_of(valid))) == body_of(valid)


def test_what_is_no_state_is_refused() -> None:
    """Text that is no JSON, or no object."""
    for body in (b"{", b"[]"):
        with pytest.raises(InvalidFlags):
            shown_state(body)
