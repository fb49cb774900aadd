"""Folded and kept answers are the engine's own."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flags.answer import OFF, ON, FlagAnswer
from flags.context import RequestFacts, encoded, evaluation_context, field_of
from flags.definitions import (
    Constraint,
    Dependency,
    Feature,
    Override,
    Payload,
    Segment,
    State,
    Strategy,
    Variant,
    body_of,
    constrained,
    digest_of,
    rolled_out,
    switched,
    with_feature,
    with_model_flags,
)
from flags.engine import LoadedEngine, load
from flags.folding import KEPT_MAX, fold
from flags.moments import moment_text
from flags.names import of_model
from flags.reading import reads_of
from flags.slicing import SLICE, at_once, reads_in_slices

ALL_OFF = with_model_flags(State(), "m")
AUTOMATED = "m.automated"
NOON_US = 1_800_000_000_000_000
FACTS = RequestFacts(model="m", tenant="t", caller="k", sticky_key="d", now_us=NOON_US)
HOUR_US = 3_600_000_000

fields = st.sampled_from(
    ["plan", "tenant", "caller", "userId", "sessionId", "model", "environment", "appName", "currentTime", "absent"]
)
values = st.sampled_from(["a", "b", "t", "k", "m", "", "lockgate", "production", "true", "3"])
constraints = st.builds(
    Constraint, context_name=fields, operator=st.sampled_from(["IN", "NOT_IN", "STR_STARTS_WITH"]),
    values=st.lists(values, min_size=1, max_size=2).map(tuple), inverted=st.booleans(),
)  # fmt: skip
moments = st.integers(-2, 2).map(lambda hours: NOON_US + hours * HOUR_US)
dates = st.builds(
    lambda operator, moment, field, inverted: Constraint(
        context_name=field, operator=operator, value=moment_text(moment), inverted=inverted
    ),
    st.sampled_from(["DATE_AFTER", "DATE_BEFORE"]), moments, st.sampled_from(["currentTime", "currentTime", "plan"]),
    st.booleans(),
)  # fmt: skip
clocks = st.builds(
    lambda moment, beside_us: moment + beside_us,
    moments,
    st.sampled_from([0, 1, 999, 1000, HOUR_US // 2, -1, -1000, -1001]),
)
stickiness = st.sampled_from(["default", "userId", "sessionId", "tenant", "plan", "currentTime"])
variants = st.lists(
    st.builds(
        Variant, name=st.sampled_from(["a", "b"]), weight=st.sampled_from([1, 300, 1000]), stickiness=stickiness,
        payload=st.none() | st.just(Payload(type="string", value="{}")),
        overrides=st.lists(st.builds(Override, context_name=fields, values=st.tuples(values)), max_size=1).map(tuple),
    ), max_size=3,
).map(tuple)  # fmt: skip
rollouts = st.builds(
    lambda percent, by: {"rollout": str(percent), "stickiness": by, "groupId": "g"},
    st.sampled_from([0, 30, 70, 100]),
    stickiness,
)
strategies = st.builds(
    lambda parameters, of, segments, drawn: Strategy(
        name="flexibleRollout" if parameters else "default", parameters=parameters, constraints=tuple(of),
        segments=tuple(segments), variants=drawn,
    ),
    st.none() | rollouts, st.lists(constraints | dates, max_size=2), st.lists(st.just(1), max_size=1), variants,
)  # fmt: skip
features = st.builds(
    lambda name, enabled, ways, drawn, on: Feature(
        name=name, enabled=enabled, strategies=tuple(ways), variants=drawn,
        dependencies=(Dependency(feature=on),) if on else (),
    ),
    st.sampled_from([*of_model("m").all(), "above"]), st.booleans(), st.lists(strategies, min_size=1, max_size=2),
    variants, st.none() | st.just("above"),
)  # fmt: skip
states = st.builds(
    lambda some, shared: State(features=tuple(some), segments=(Segment(id=1, constraints=tuple(shared)),)),
    st.lists(features, max_size=4, unique_by=lambda feature: feature.name),
    st.lists(constraints, max_size=1),
)
properties = st.dictionaries(
    st.sampled_from(["plan", "plan", "userId", "sessionId", "currentTime", "appName", "tenant"]),
    st.none() | values | st.booleans(), max_size=2,
)  # fmt: skip
requests = st.builds(
    lambda user, session, digest, sent, clock: msgspec.structs.replace(
        FACTS, user_id=user, session_id=session, sticky_key=digest, properties=sent, now_us=clock
    ),
    st.none() | values, st.none() | values, st.sampled_from(["d1", "d2"]), properties, clocks,
)  # fmt: skip


def rolling(name: str) -> Feature:
    """A flag that half of the sessions have."""
    parameters = {"rollout": "50", "stickiness": "sessionId", "groupId": name}
    return Feature(name=name, enabled=True, strategies=(Strategy(name="flexibleRollout", parameters=parameters),))


def asked(engine: LoadedEngine, facts: RequestFacts) -> list[FlagAnswer]:
    """What the engine itself says."""
    context = encoded(evaluation_context(facts))
    return [engine.answer(flag, context) for flag in of_model(facts.model).all()]


@given(states, st.lists(requests, min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_folded_answers_are_the_engines(state: State, asking: list[RequestFacts]) -> None:
    """Whatever the definitions and whoever asks, in any order and again, the view is what the engine answers.

    Where a variant is drawn at random, only that it is on can be compared.
    """
    body = body_of(state)
    folded, engine = fold(body), load(body)
    chance = [reads_of(state, flag).chance for flag in of_model("m").all()]
    for facts in asking + asking:
        view = folded.view(facts)
        for drawn, ours, theirs in zip(
            chance, (view.automated, view.shadow, view.candidate), asked(engine, facts), strict=True
        ):
            assert ours.enabled == theirs.enabled
            assert drawn or ours == theirs


@given(
    st.lists(st.lists(dates, min_size=1, max_size=2), min_size=1, max_size=2),
    st.none() | rollouts,
    st.lists(clocks, min_size=2, max_size=12),
)
@settings(max_examples=100, deadline=None)
def test_an_answer_holds_until_the_next_moment(
    ways: list[list[Constraint]], parameters: dict[str, str] | None, times: list[int]
) -> None:
    """While the clock moves past the dates of a flag, and even back, it never has an answer of another time.

    Each time is asked twice by each of two sessions and by a request without one.
    """
    name = "flexibleRollout" if parameters else "default"
    by_date = tuple(Strategy(name=name, parameters=parameters, constraints=tuple(some)) for some in ways)
    body = body_of(with_feature(ALL_OFF, Feature(name=AUTOMATED, enabled=True, strategies=by_date)))
    folded, engine = fold(body), load(body)
    for now_us in sorted(times) + times:
        for session in ("s1", "s2", None) * 2:
            facts = msgspec.structs.replace(FACTS, now_us=now_us, session_id=session)
            assert folded.answer(AUTOMATED, facts) == asked(engine, facts)[0]


def test_a_date_is_asked_about_once_between_moments() -> None:
    """A flag from a date on keeps one answer for before it, one for its millisecond and one for after."""
    date = Constraint(context_name="currentTime", operator="DATE_AFTER", value=moment_text(NOON_US))
    body = body_of(switched(constrained(ALL_OFF, AUTOMATED, (date,)), AUTOMATED, on=True))
    folded = fold(body)
    told = [
        folded.answer(AUTOMATED, msgspec.structs.replace(FACTS, now_us=NOON_US + beside_us)).enabled
        for beside_us in (-HOUR_US, -2, -1, 0, 1, 999, 1000, 1001, HOUR_US)
    ]
    assert told == [False] * 6 + [True] * 3
    assert folded.kept == 3


def test_a_view_is_made_of_one_state() -> None:
    """A view holds the three answers and the digest of the state that gave them."""
    body = body_of(switched(ALL_OFF, AUTOMATED, on=True))
    view = fold(body).view(FACTS)
    assert (view.automated, view.shadow, view.candidate) == (ON, OFF, OFF)
    assert (view.state, view.loaded) == (digest_of(body), True)


def test_what_is_alike_for_everybody_is_one_view() -> None:
    """Flags that read nothing are answered by the same view, whoever asks."""
    folded = fold(body_of(ALL_OFF))
    assert folded.view(FACTS) is folded.view(msgspec.structs.replace(FACTS, caller="other"))


def test_kept_answers_are_bounded() -> None:
    """A flag keeps no more than its limit of answers, however many sessions ask, and still answers right.

    The two that are off for everybody keep their one answer each.
    """
    body = body_of(switched(rolled_out(ALL_OFF, AUTOMATED, 50, stickiness="sessionId"), AUTOMATED, on=True))
    folded, engine = fold(body), load(body)
    for number in range(KEPT_MAX + 10):
        facts = msgspec.structs.replace(FACTS, session_id=f"s{number}")
        assert folded.view(facts).automated == asked(engine, facts)[0]
        assert folded.kept <= KEPT_MAX + 2


def test_a_state_is_read_in_slices() -> None:
    """Between two stops no more than a slice of flags is read, and what is read is what each flag depends on."""
    state = State(features=tuple(rolling(f"f{number}") for number in range(5 * SLICE)))
    slices = reads_in_slices(body_of(state))
    assert sum(1 for _ in slices) == 2 * 5
    reads = at_once(reads_in_slices(body_of(state)))
    assert reads == {feature.name: reads_of(state, feature.name) for feature in state.features}


def test_a_form_that_is_not_known_here_is_left_to_the_engine() -> None:
    """A field that a newer Unleash adds does not change what the engine answers."""
    body = b"""{"version":2,"features":[{"name":"m.automated","enabled":true,"brandNew":1,
        "strategies":[{"name":"flexibleRollout","parameters":{"rollout":"50","stickiness":"tenant"}}]}]}"""
    folded, engine = fold(body), load(body)
    for tenant in "abcdefgh":
        facts = msgspec.structs.replace(FACTS, tenant=tenant)
        assert folded.view(facts).automated == asked(engine, facts)[0]


@pytest.mark.parametrize("name", ["userId", "sessionId", "environment", "appName", "model", "tenant", "caller", "plan"])
def test_a_field_is_what_the_engine_reads(name: str) -> None:
    """The field by which an answer is kept is the field of the context that is sent."""
    facts = msgspec.structs.replace(FACTS, user_id="u", properties={"plan": True, "model": "forged"})
    sent = msgspec.to_builtins(evaluation_context(facts))
    assert field_of(facts, name) == sent.get(name, sent["properties"].get(name))


@pytest.mark.parametrize("own", ["default", "sessionId", "tenant"])
@pytest.mark.parametrize("of_strategy", [None, "default", "sessionId", "tenant"])
def test_variants_of_a_strategy_are_drawn_by_what_the_strategy_sticks_to(own: str, of_strategy: str | None) -> None:
    """Whatever the variants say themselves: users who share a session, and sessions of one user, get the engine's."""
    parameters = {"rollout": "100", "stickiness": of_strategy, "groupId": "g"} if of_strategy else None
    drawn = tuple(Variant(name=name, weight=500, stickiness=own) for name in ("a", "b"))
    strategy = Strategy(name="flexibleRollout" if parameters else "default", parameters=parameters, variants=drawn)
    body = body_of(State(features=(Feature(name=AUTOMATED, enabled=True, strategies=(strategy,)),)))
    folded, engine = fold(body), load(body)
    people = [("u", "s"), *((f"u{n}", "s") for n in range(12)), *(("u", f"s{n}") for n in range(12))]
    for user, session in people:
        facts = msgspec.structs.replace(FACTS, user_id=user, session_id=session)
        assert folded.view(facts).automated == asked(engine, facts)[0]
