"""A proposed change of a model's flags and policy, and what flags and plan would be with it. PURE.

Flags are edited as JSON, whatever source the state came from: a state that was fetched from an Unleash server has
members that embedded flags would refuse, and is edited all the same.

| written | means |
|---|---|
| `automated=on`, `shadow=off` | the flag is switched; its strategies stay |
| `candidate.rollout=25` | its one strategy reaches so many percent, sticky; its constraints stay |
| a state in Unleash's JSON | its flags and segments stand in the place of those of the same name or id |
| `hold_below=0.7` | a number of the policy, of those that can be judged from what was recorded |
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from flags.definitions import canonical_json, digest_of
from flags.errors import NotAFeatureState, SeveralStrategies, UnknownFlag
from flags.names import Kind, compose
from gateway.plan import ModelPlan, PrecedentPlan
from gateway.policy import Policy, policy_fault
from gateway.times import SECOND_US
from review.simulation.errors import NothingProposed, ProposalRefused

DAY_US = 24 * 3600 * SECOND_US
JUDGED = (
    "hold_below", "hold_below_by_class", "audit_rate", "audit_rate_under_pressure", "precedent_days", "fail_mode",
    "stale_after_s",
)  # fmt: skip
"""What of a policy can be judged from entries alone; the rest needs the inputs, or more than a window of traffic."""
BY_CLASS = "hold_below_by_class."
_SETTING = re.compile(r"(automated|shadow|candidate)(?:=(on|off)|\.rollout=(\d{1,3}))", re.ASCII)

Numbers = Mapping[str, Any]


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be tried: settings of flags, a state of flags in Unleash's JSON, numbers of the policy."""

    settings: tuple[Annotated[str, msgspec.Meta(max_length=100)], ...] = ()
    state: dict[str, Any] | None = None
    policy: dict[str, Any] = {}

    def words(self) -> tuple[str, ...]:
        """The proposal as one reads it."""
        state = ("flags as in the state that was sent",) if self.state is not None else ()
        numbers = (f"{name}={msgspec.json.encode(value).decode()}" for name, value in sorted(self.policy.items()))
        return (*self.settings, *state, *numbers)


def proposed_state(body: bytes, model: str, proposal: Proposal) -> bytes:
    """The canonical body of the state with the proposal.

    Raises: ProposalRefused, UnknownFlag, SeveralStrategies, NotAFeatureState.
    """
    state = msgspec.json.decode(canonical_json(body), type=dict[str, Any])
    if proposal.state is not None:
        _lay_over(state, proposal.state)
    for setting in proposal.settings:
        _apply(state, model, setting)
    return canonical_json(msgspec.json.encode(state))


def proposed_plan(plan: ModelPlan, number: int, proposal: Proposal) -> ModelPlan:
    """The plan with the proposal's policy in a release of this number; the plan itself where it proposes none.

    Precedents hold as though they had been made under it. Raises: ProposalRefused.
    """
    was = plan.champion.policy
    shall = proposed_policy(was, proposal.policy)
    if shall == was:
        return plan
    name = f"{plan.name}@{number}"
    card = msgspec.structs.replace(plan.champion.card, policy=shall)
    champion = msgspec.structs.replace(plan.champion, name=name, number=number, policy=shall, card=card)
    longer_us = (shall.precedent_days - was.precedent_days) * DAY_US
    precedents = {key: _longer(found, longer_us) for key, found in plan.precedents.items()}
    return msgspec.structs.replace(plan, champion=champion, precedents=precedents)


def proposed_policy(policy: Policy, numbers: Numbers) -> Policy:
    """The policy with these numbers; `hold_below_by_class.NAME` is the threshold of one class.

    Raises: ProposalRefused.
    """
    by_class = dict(policy.hold_below_by_class)
    plain: dict[str, Any] = {}
    for name, value in numbers.items():
        if name.startswith(BY_CLASS):
            by_class[name.removeprefix(BY_CLASS)] = value
            plain["hold_below_by_class"] = by_class
        elif name in JUDGED:
            plain[name] = value
        else:
            raise ProposalRefused(fault=f"policy.{name[:60]} is not judged from traffic; {', '.join(JUDGED)} are.")
    try:
        shall = msgspec.convert(msgspec.to_builtins(policy) | plain, Policy)
    except msgspec.ValidationError as error:
        raise ProposalRefused(fault=f"policy: {error}.") from error
    if fault := policy_fault(shall):
        raise ProposalRefused(fault=fault)
    return shall


def require_change(before: bytes, after: bytes, was: ModelPlan, shall: ModelPlan) -> None:
    """Return if the proposal changes something. Raises: NothingProposed."""
    if digest_of(before) == digest_of(after) and was is shall:
        raise NothingProposed


def _lay_over(state: dict[str, Any], given: dict[str, Any]) -> None:
    for part, key in (("features", "name"), ("segments", "id")):
        new = given.get(part) or []
        if not isinstance(new, list) or not all(isinstance(one, dict) and key in one for one in new):
            raise NotAFeatureState(why=f"'{part}' must be a list of objects with '{key}'")
        named = {one[key] for one in new}
        state[part] = [one for one in state.get(part) or [] if one.get(key) not in named] + new


def _apply(state: dict[str, Any], model: str, setting: str) -> None:
    found = _SETTING.fullmatch(setting)
    if found is None or (found[3] and int(found[3]) > 100):
        expected = "automated=on, shadow=off or candidate.rollout=25"
        raise ProposalRefused(fault=f"'{setting[:60]}' is no setting of a flag; write {expected}.")
    flag = compose(model, Kind(found[1]))
    feature = next((one for one in state.get("features", ()) if one.get("name") == flag), None)
    if feature is None:
        raise UnknownFlag(flag=flag)
    if found[2]:
        feature["enabled"] = found[2] == "on"
    else:
        _roll_out(feature, flag, found[3])


def _roll_out(feature: dict[str, Any], flag: str, percent: str) -> None:
    """As `flags.definitions.rolled_out` does, on plain JSON."""
    strategies: Sequence[dict[str, Any]] = feature.get("strategies") or []
    if len(strategies) != 1:
        raise SeveralStrategies(flag=flag, count=len(strategies))
    strategies[0].update(
        name="flexibleRollout", parameters={"rollout": percent, "stickiness": "default", "groupId": flag}
    )  # fmt: skip


def _longer(found: PrecedentPlan, longer_us: int) -> PrecedentPlan:
    return msgspec.structs.replace(found, expires_us=found.expires_us + longer_us)
