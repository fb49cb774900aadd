"""What holds for every state and every request, tried on many."""

import json
from datetime import UTC, datetime
from string import printable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flags.answer import UNKNOWN
from flags.conditions import unfit_name
from flags.context import EvaluationContext, encoded
from flags.definitions import (
    Constraint,
    State,
    Variant,
    body_of,
    constrained,
    digest_of,
    rolled_out,
    state_from,
    switched,
    with_model_flags,
    with_variants,
)
from flags.engine import load
from flags.errors import InvalidFlags
from flags.names import of_model
from flags.validation import problems, validated

FLAG = "m.automated"
FIELDS = ("userId", "sessionId", "remoteAddress", "environment", "appName", "currentTime")
ON = switched(with_model_flags(State(), "m"), FLAG, on=True)

texts = st.text(max_size=12) | st.text(alphabet='"\\[]() ,or', max_size=8)
names = st.text(alphabet=printable, min_size=1, max_size=12) | st.sampled_from(["userId", "plan", "a.b", 'x"]'])
some_texts = st.lists(texts, min_size=1, max_size=3).map(tuple)
numbers = st.floats(allow_nan=False, allow_infinity=False).map(str) | st.integers().map(str)
moments = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.isoformat(timespec="milliseconds")
)
constraints = st.one_of(
    st.builds(Constraint, context_name=names, operator=st.sampled_from(["IN", "NOT_IN"]), values=some_texts),
    st.builds(Constraint, context_name=names, operator=st.just("STR_CONTAINS"), values=some_texts),
    st.builds(Constraint, context_name=names, operator=st.just("REGEX"), value=texts),
    st.builds(Constraint, context_name=names, operator=st.just("NUM_LTE"), value=numbers | texts),
    st.builds(Constraint, context_name=names, operator=st.just("DATE_AFTER"), value=moments | texts),
)
states = st.builds(
    lambda some, percent, on: switched(rolled_out(constrained(ON, FLAG, some), FLAG, percent), FLAG, on=on),
    st.lists(constraints, max_size=3),
    st.integers(0, 100),
    st.booleans(),
)


def context(**properties: str) -> EvaluationContext:
    """A context with these properties."""
    return EvaluationContext(
        session_id="s",
        app_name="lockgate",
        environment="test",
        current_time="2026-11-22T14:00:00.000+00:00",
        properties=properties,
    )


def enabled(state: State, of: EvaluationContext) -> bool:
    """Whether the flag is on for a context, as the engine says."""
    return load(body_of(state)).answer(FLAG, encoded(of)).enabled


@given(states)
@settings(deadline=None)
def test_a_state_comes_back_from_its_body(state: State) -> None:
    """A state's canonical body gives back the state and, in any order of keys, the digest."""
    body = body_of(state)
    assert body_of(state_from(body)) == body
    shuffled = json.dumps(dict(reversed(json.loads(body).items())), indent=1).encode()
    assert load(shuffled).digest == digest_of(body)


@given(states)
@settings(max_examples=200, deadline=None)
def test_what_is_valid_loads_without_a_warning(state: State) -> None:
    """A state that validation accepts is one of which the engine has nothing to say."""
    try:
        body = validated(state)
    except InvalidFlags:
        return
    assert load(body).warning is None


@given(texts, st.booleans())
@settings(max_examples=300, deadline=None)
def test_accepted_text_means_itself(text: str, among: bool) -> None:
    """A value that validation accepts matches exactly itself, alone and beside others, whatever its punctuation."""
    values = ("other", text, 'a"b') if among else (text,)
    state = constrained(ON, FLAG, (Constraint(context_name="plan", operator="IN", values=values),))
    if not problems(state):
        assert enabled(state, context(plan=text))
        assert not enabled(state, context(plan=f"{text}x"))


@given(names)
@settings(max_examples=200, deadline=None)
def test_an_accepted_name_reads_its_own_field(name: str) -> None:
    """A context name that validation accepts reads the property of that name and nothing else."""
    state = constrained(ON, FLAG, (Constraint(context_name=name, operator="IN", values=("yes",)),))
    if unfit_name(name) is None and name not in FIELDS:
        assert enabled(state, context(**{name: "yes"}))
        assert not enabled(state, context(**{name: "no"}))


@given(numbers, st.integers(-5, 5))
@settings(deadline=None)
def test_an_accepted_number_compares(bound: str, below: int) -> None:
    """A number that validation accepts compares as a number does."""
    state = constrained(ON, FLAG, (Constraint(context_name="x", operator="NUM_LTE", value=bound),))
    assert problems(state) == ()
    assert enabled(state, context(x=str(below))) == (below <= float(bound))


@given(moments)
@settings(deadline=None)
def test_an_accepted_moment_compares(moment: str) -> None:
    """A moment that validation accepts compares as a moment does."""
    state = constrained(ON, FLAG, (Constraint(context_name="currentTime", operator="DATE_AFTER", value=moment),))
    assert problems(state) == ()
    after = datetime.fromisoformat("2026-11-22T14:00:00.000+00:00") > datetime.fromisoformat(moment)
    assert enabled(state, context()) == after


@given(states, st.dictionaries(names, texts, max_size=4))
@settings(deadline=None)
def test_off_is_off_for_everybody(state: State, properties: dict[str, str]) -> None:
    """A flag that is switched off is off in every context, whatever its strategies say."""
    assert not enabled(switched(state, FLAG, on=False), context(**properties))


@given(states)
@settings(deadline=None)
def test_on_then_off_is_the_safe_side(state: State) -> None:
    """Switching on and then off leaves the flag off, and its strategies as they were."""
    again = switched(switched(state, FLAG, on=True), FLAG, on=False)
    assert again.feature(FLAG) == msgspec.structs.replace(state.feature(FLAG), enabled=False)


@given(st.text(alphabet="abc_-09.", max_size=20), st.dictionaries(names, texts, max_size=4))
@settings(deadline=None)
def test_unknown_flags_are_off(model: str, properties: dict[str, str]) -> None:
    """A model that the state does not know has all three flags off."""
    engine = load(body_of(ON))
    asked = encoded(context(**properties))
    assert {engine.answer(flag, asked) for flag in of_model(f"{model}x").all()} == {UNKNOWN}


@given(st.integers(0, 100), st.integers(0, 100), st.text(min_size=1, max_size=20))
@settings(deadline=None)
def test_a_rollout_only_grows(lower: int, higher: int, session: str) -> None:
    """Who is in at a percentage is in at every higher one, and the same request gets the same answer again."""
    lower, higher = sorted((lower, higher))
    sticky = msgspec.structs.replace(context(), session_id=session)
    answers = [enabled(rolled_out(ON, FLAG, percent), sticky) for percent in (lower, lower, higher)]
    assert answers[0] == answers[1]
    assert answers[2] or not answers[0]


@given(st.text(min_size=1, max_size=20))
@settings(deadline=None)
def test_a_variant_sticks(session: str) -> None:
    """The same request draws the same variant, every time."""
    pair = (Variant(name="a", weight=500), Variant(name="b", weight=500))
    engine = load(body_of(with_variants(ON, FLAG, pair)))
    sticky = encoded(msgspec.structs.replace(context(), session_id=session))
    assert len({engine.answer(FLAG, sticky).variant for _ in range(5)}) == 1


@pytest.mark.parametrize("percent", [5, 25, 60])
def test_a_rollout_has_its_share(percent: int) -> None:
    """Of many requests about the declared percentage is in."""
    engine = load(body_of(rolled_out(ON, FLAG, percent)))
    of = 4_000
    sessions = (encoded(msgspec.structs.replace(context(), session_id=f"s{n}")) for n in range(of))
    share = 100 * sum(engine.answer(FLAG, one).enabled for one in sessions) / of
    assert share == pytest.approx(percent, abs=2.5)
