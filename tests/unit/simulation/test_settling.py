"""Settling column by column is what engine, `decide` and `settle` make of each request."""

from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flags.definitions import (
    Constraint,
    Dependency,
    Payload,
    State,
    Variant,
    body_of,
    constrained,
    digest_of,
    rolled_out,
    switched,
    with_feature,
    with_model_flags,
    with_variants,
)  # fmt: skip
from flags.folding import FoldedFlags, fold
from gateway.context import unread_fields
from gateway.plan import ModelPlan, PrecedentPlan
from gateway.policy import Envelope, FieldRule
from gateway.record.entries import Folded
from review.simulation.flagging import ModelFlags, Where
from review.simulation.rolling import rollouts_in
from review.simulation.settling import PATHS, WHY_UNKNOWN, Settled, Settling, Side
from tests.plans import CLASSES, TENANT, make_model, make_release
from tests.unit.simulation.recorded import MODEL, NOW_US, Request, World, chunk_of, recorded

FLAG, SHADOW, CANDIDATE = (f"{MODEL}.{kind}" for kind in ("automated", "shadow", "candidate"))
OFF = with_model_flags(State(), MODEL)
ON = switched(OFF, FLAG, on=True)
REGION = Constraint(context_name="region", operator="IN", values=("north", "south"))
USER = Constraint(context_name="userId", operator="STR_STARTS_WITH", values=("u1",))
LATER = Constraint(context_name="currentTime", operator="DATE_AFTER", value="2025-11-24T16:00:05Z")
CAREFUL = Payload(type="json", value='{"release": "sentiment@1", "hold_below": 0.95, "audit_rate": 0.5}')
HALVES = (Variant(name="careful", weight=500, payload=CAREFUL), Variant(name="plain", weight=500))
STATES: dict[str, State] = {
    "off": OFF,
    "on": ON,
    "rollout": rolled_out(ON, FLAG, 40),
    "by session": rolled_out(ON, FLAG, 60, stickiness="sessionId"),
    "by user": rolled_out(ON, FLAG, 60, stickiness="userId"),
    "region": constrained(ON, FLAG, (REGION,)),
    "user": constrained(ON, FLAG, (USER,)),
    "date": constrained(ON, FLAG, (LATER,)),
    "variants": with_variants(rolled_out(ON, FLAG, 100, stickiness="sessionId"), FLAG, HALVES),
    "shadow": rolled_out(switched(ON, SHADOW, on=True), SHADOW, 50),
    "candidate": rolled_out(switched(ON, CANDIDATE, on=True), CANDIDATE, 50),
    "dependent": with_feature(
        constrained(switched(ON, SHADOW, on=True), SHADOW, (REGION,)),
        msgspec.structs.replace(ON.feature(FLAG), dependencies=(Dependency(feature=SHADOW),)),
    ),
}  # fmt: skip
ROLLOUTS = {digest_of(body_of(state)): rollouts_in(body_of(state), MODEL) for state in STATES.values()}
ENVELOPE = {"amount": Envelope(minimum=0, maximum=100)}
RULES = (FieldRule(name="large", input="amount", op=">", value=50),)
POLICIES: tuple[dict[str, Any], ...] = (
    {},
    {"hold_below": 0.6},
    {"hold_below": 0.9, "hold_below_by_class": {"positive": 0.2}, "audit_rate": 0.3},
    {"hold_below_by_class": {"negative": 0.8}, "fail_mode": "automated"},
    {"fail_mode": "refuse", "hold_below": 0.5},
)
CORRECTION = PrecedentPlan(answer="positive", prediction_id=TENANT, item=1, outcome_revision=1, expires_us=NOW_US + 1)


@cache
def flags_of(name: str) -> FoldedFlags:
    """The flags of a state, loaded once."""
    return fold(body_of(STATES[name]))


def plan_of(policy: dict[str, Any], *, number: int = 1, corrected: frozenset[int] = frozenset()) -> ModelPlan:
    """The model under a policy, with a trial whose canary is open, and a few corrected inputs."""
    champion = make_release(1, envelope=ENVELOPE, field_rules=RULES, **policy)
    champion = msgspec.structs.replace(champion, number=number, name=f"{MODEL}@{number}")
    precedents = {f"{one:064x}": CORRECTION for one in corrected}
    return make_model(champion=champion, candidate=make_release(5), canary_open=True, precedents=precedents)


def settled_under(world: World, entries: Any) -> Settled:
    """What becomes of the entries under a world, column by column."""
    flags = ModelFlags(world.flags, ROLLOUTS[world.flags.digest])
    chunk = chunk_of(entries, sorted(flags.fields(MODEL)))
    assert chunk is not None
    columns = flags.columns(chunk, Where(tenant=str(TENANT), model=MODEL))
    side = Side(plan=world.plan, now_us=NOW_US, versions={f"{MODEL}@{n}": 1 for n in (1, 2)}, stale_then_s=300.0)
    return Settling(side).settle(chunk, columns)


amounts = st.sampled_from([10.0, 60.0, 200.0, float("nan")])
scores = st.sampled_from([0.0, 0.1, 0.5, 0.6, 0.85, 0.99, float("nan")])
requests = st.builds(
    lambda items, **rest: Request(
        scores=tuple(one[0] for one in items), answers=tuple(one[1] for one in items),
        amounts=tuple(one[2] for one in items), **rest,
    ),
    items=st.lists(st.tuples(scores, st.sampled_from([*CLASSES, "nonsense"]), amounts), min_size=0, max_size=4),
    number=st.integers(0, 40),
    asked=st.booleans(),
    user=st.sampled_from([None, "u1", "u12", "v3"]),
    session=st.sampled_from([None, "s1", "s2"]),
    region=st.sampled_from([None, "north", "east"]),
    at_us=st.sampled_from([NOW_US - 10_000_000, NOW_US, NOW_US + 10_000_000]),
    gate=st.sampled_from(["", "", "", "flags_unknown", "flags_stale"]),
)  # fmt: skip
policies = st.sampled_from(POLICIES)
states = st.sampled_from(sorted(STATES))
corrected = st.frozensets(st.integers(0, 40), max_size=10)


@given(
    asked=st.lists(requests, min_size=1, max_size=30),
    then=st.tuples(states, policies),
    now=st.tuples(states, policies),
    some=corrected,
)
def test_columns_come_out_as_each_request_would(
    asked: list[Request], then: tuple[str, dict[str, Any]], now: tuple[str, dict[str, Any]], some: frozenset[int]
) -> None:
    """Whatever was in force then and is proposed now: a row that is known has the path, the rule and the holds that
    engine, `decide` and `settle` give, and what is not known is not for want of looking."""
    recording = World(flags=flags_of(then[0]), plan=plan_of(then[1], corrected=some))
    world = World(flags=flags_of(now[0]), plan=plan_of(now[1], number=2, corrected=some))
    settled = settled_under(world, recorded(recording, asked))
    at = 0
    for row, request in enumerate(asked):
        count = len(request.scores)
        _, decision, live = world.answer(request)
        if settled.known[row]:
            assert PATHS[settled.path[row]] == live.path
            assert settled.rules[settled.rule[row]] == live.rule
            assert settled.held[at : at + count].tolist() == [item.held for item in live.items]
            rates = [item.audit_probability for item in live.items]
            assert settled.audit[at : at + count].tolist() == rates
        else:
            _justified(WHY_UNKNOWN[settled.unknown[row] - 1], recording, request, decision.by, now[0])
        at += count


def _justified(why: str, recording: World, request: Request, by: str, now: str) -> None:
    """Assert that what is not known could not be."""
    view, before, _ = recording.answer(request)
    if why == "context":
        read = ModelFlags(flags_of(now), {}).fields(MODEL)
        assert read & set(unread_fields(request.told, view.fields))
    elif why == "version":
        assert by == "model"
    elif why == "correction":
        assert before.by == "precedent"
    else:
        assert why == "findings"
        assert before.by == "precedent"


ONE = Request(number=1, scores=(0.7,), answers=("positive",), amounts=(1.0,))
HEAD = Folded(sha256="0" * 64, bytes=9, items=1, held=1, audited=0)
UNKNOWN = [
    ("an entry that does not say whether a person was asked for", {"asked": None}, "asked"),
    ("another version answered", {"release": "sentiment@9"}, "version"),
    ("nothing but its head was kept", {"folded": HEAD, "items": ()}, "folded"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "why"), [row[1:] for row in UNKNOWN], ids=[row[0] for row in UNKNOWN])
def test_what_an_entry_does_not_tell_is_said_to_be_unknown(changes: dict[str, Any], why: str) -> None:
    """Each row changes a recorded entry, and gives why nothing is said of it."""
    recording = World(flags=flags_of("off"), plan=plan_of({}))
    settled = settled_under(World(flags=flags_of("on"), plan=plan_of({})), recorded(recording, [ONE], **changes))
    assert [WHY_UNKNOWN[number - 1] for number in settled.unknown.tolist()] == [why]


def test_a_halted_request_stays_as_it_was() -> None:
    """A halt is not simulated: its path, its rule and its holds are the recorded ones."""
    halted = World(flags=flags_of("on"), plan=msgspec.structs.replace(plan_of({}), halt=make_model(halt="review").halt))
    settled = settled_under(World(flags=flags_of("on"), plan=plan_of({})), recorded(halted, [ONE])
    )  # fmt: skip
    assert settled.known.tolist() == [True]
    assert (PATHS[settled.path[0]], settled.rules[settled.rule[0]]) == ("review", "halted")
    assert settled.held.tolist() == [True]
