"""What flags and policy would be with a proposal."""

from typing import Any

import msgspec
import pytest

from flags.definitions import State, body_of, rolled_out, switched, with_model_flags
from flags.errors import FlagsError, NotAFeatureState, SeveralStrategies, UnknownFlag
from gateway.plan import PrecedentPlan
from gateway.policy import Policy
from review.simulation.errors import NothingProposed, ProposalRefused, SimulationError
from review.simulation.proposal import Proposal, proposed_plan, proposed_policy, proposed_state, require_change
from tests.plans import TENANT, make_model, make_release

MODEL, FLAG = "sentiment", "sentiment.automated"
OFF = with_model_flags(State(), MODEL)
DEFAULT = {"name": "default", "sortOrder": 9, "future": {"member": 1}}
FETCHED = {
    "version": 2,
    "features": [{"name": FLAG, "enabled": False, "impressionData": False, "strategies": [DEFAULT]}],
    "query": {"environment": "production"},
}
DAY_US = 86_400_000_000


def test_settings_edit_the_state_as_operators_would() -> None:
    """Switching and rolling out give the very state that `flags on` and `flags set --rollout` give."""
    body = proposed_state(body_of(OFF), MODEL, Proposal(settings=("automated=on", "automated.rollout=25")))
    assert body == body_of(rolled_out(switched(OFF, FLAG, on=True), FLAG, 25))


def test_a_state_that_was_fetched_is_edited_whatever_else_it_holds() -> None:
    """Members that embedded flags would refuse stay as they are, so a state from an Unleash server can be proposed."""
    body = msgspec.json.encode(FETCHED)
    edited = msgspec.json.decode(proposed_state(body, MODEL, Proposal(settings=("automated=on",))))
    assert edited["features"][0]["enabled"] is True
    assert edited["features"][0]["strategies"][0]["future"] == {"member": 1}
    assert edited["query"] == {"environment": "production"}


def test_flags_of_a_state_stand_in_the_place_of_those_of_their_name() -> None:
    """The others stay."""
    given = {"features": [{"name": FLAG, "enabled": True, "strategies": [{"name": "default"}]}]}
    state = msgspec.json.decode(proposed_state(body_of(OFF), MODEL, Proposal(state=given)))
    assert {one["name"]: one["enabled"] for one in state["features"]} == {
        FLAG: True, "sentiment.shadow": False, "sentiment.candidate": False,
    }  # fmt: skip


TWICE = {"features": [{"name": FLAG, "enabled": True, "strategies": [{"name": "default"}, {"name": "default"}]}]}
REFUSED: list[tuple[str, Proposal, type[FlagsError | SimulationError]]] = [
    ("no such word", Proposal(settings=("automated=maybe",)), ProposalRefused),
    ("more than all", Proposal(settings=("automated.rollout=101",)), ProposalRefused),
    ("several strategies", Proposal(settings=("automated.rollout=5",), state=TWICE), SeveralStrategies),
    ("flags without names", Proposal(state={"features": [{"enabled": True}]}), NotAFeatureState),
]


@pytest.mark.parametrize(("proposal", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_proposed_is_refused(proposal: Proposal, error: type[Exception]) -> None:
    """Each row is refused with its own error."""
    with pytest.raises(error):
        proposed_state(body_of(OFF), MODEL, proposal)
    with pytest.raises(UnknownFlag):
        proposed_state(body_of(OFF), "other", Proposal(settings=("automated=on",)))


POLICIES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("a threshold", {"hold_below": 0.7}, {"hold_below": 0.7}),
    ("one class", {"hold_below_by_class.b": 0.9}, {"hold_below_by_class": {"a": 0.5, "b": 0.9}}),
    ("all classes", {"hold_below_by_class": {"b": 0.9}}, {"hold_below_by_class": {"b": 0.9}}),
]


@pytest.mark.parametrize(("numbers", "changed"), [row[1:] for row in POLICIES], ids=[row[0] for row in POLICIES])
def test_numbers_change_the_policy(numbers: dict[str, Any], changed: dict[str, Any]) -> None:
    """Each row gives what of the policy is another then."""
    policy = Policy(hold_below_by_class={"a": 0.5})
    assert proposed_policy(policy, numbers) == msgspec.structs.replace(policy, **changed)


@pytest.mark.parametrize("numbers", [{"hold_below": 7}, {"wait_cap_s": 3}, {"audit_rate": 0.0}, {"hold_below": "much"}])
def test_a_policy_that_cannot_be_or_cannot_be_judged_is_refused(numbers: dict[str, Any]) -> None:
    """Out of range, not judged from traffic, in contradiction to another number, or of another kind."""
    with pytest.raises(ProposalRefused):
        proposed_policy(Policy(), numbers)


def test_a_proposed_policy_is_a_release_to_come_and_precedents_last_as_it_says() -> None:
    """A payload written for the release in force is not for that one; corrections hold for its days."""
    found = PrecedentPlan(answer="a", prediction_id=TENANT, item=1, outcome_revision=1, expires_us=40 * DAY_US)
    plan = make_model(champion=make_release(3), precedents={"d": found})
    then = proposed_plan(plan, 9, Proposal(policy={"precedent_days": 10}))
    assert (then.champion.name, then.champion.version) == ("sentiment@9", 3)
    assert [one.expires_us for one in then.precedents.values()] == [20 * DAY_US]
    assert proposed_plan(plan, 9, Proposal(policy={"precedent_days": 30})) is plan


def test_a_proposal_must_change_something() -> None:
    """What is in force already is no proposal."""
    plan = make_model()
    with pytest.raises(NothingProposed):
        require_change(body_of(OFF), body_of(OFF), plan, plan)
