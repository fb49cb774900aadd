"""States as values, and the edits that make one from another."""

import json

import pytest

from flags.definitions import (
    Constraint,
    Payload,
    State,
    Strategy,
    Variant,
    body_of,
    canonical_json,
    constrained,
    digest_of,
    feature_from,
    rolled_out,
    segment_from,
    state_from,
    switched,
    with_feature,
    with_model_flags,
    with_segment,
    with_variants,
)
from flags.errors import FlagsError, InvalidFlags, NotAFeatureState, SeveralStrategies, UnknownFlag

FLAG = "m.automated"
OFF = with_model_flags(State(), "m")


def test_a_model_s_flags_are_born_off() -> None:
    """A new model's three flags are off, with a description each, and on would mean on for everybody."""
    assert [feature.name for feature in OFF.features] == ["m.automated", "m.shadow", "m.candidate"]
    assert all(not feature.enabled and feature.description for feature in OFF.features)
    assert all(feature.strategies == (Strategy(name="default"),) for feature in OFF.features)


def test_flags_that_are_there_stay() -> None:
    """Adding a model's flags again changes none of them."""
    on = switched(OFF, FLAG, on=True)
    assert body_of(with_model_flags(on, "m")) == body_of(on)


def test_on_then_off_is_where_it_was() -> None:
    """Switching a flag on and off again gives the same state, to the digest."""
    again = switched(switched(OFF, FLAG, on=True), FLAG, on=False)
    assert digest_of(body_of(again)) == digest_of(body_of(OFF))


def test_switching_keeps_the_strategies() -> None:
    """A flag that is switched off and on is on for the same contexts as before."""
    narrow = rolled_out(OFF, FLAG, 25)
    assert switched(switched(narrow, FLAG, on=True), FLAG, on=False).feature(FLAG) == narrow.feature(FLAG)


def test_a_rollout_keeps_the_constraints() -> None:
    """Setting a percentage leaves the conditions of the strategy as they were."""
    gold = Constraint(context_name="plan", operator="IN", values=("gold",))
    (strategy,) = rolled_out(constrained(OFF, FLAG, (gold,)), FLAG, 10, stickiness="userId").feature(FLAG).strategies
    assert strategy.constraints == (gold,)
    assert strategy.parameters == {"rollout": "10", "stickiness": "userId", "groupId": FLAG}


def test_one_strategy_among_several_is_not_guessed() -> None:
    """With several strategies a percentage is refused, since it is not clear whose it is."""
    feature = feature_from(b'{"enabled":true,"strategies":[{"name":"default"},{"name":"default"}]}', FLAG)
    two = with_feature(OFF, feature)
    with pytest.raises(SeveralStrategies, match="2 strategies"):
        rolled_out(two, FLAG, 10)


def test_variants_are_replaced() -> None:
    """A flag's variants are the ones set last."""
    variant = Variant(name="strict", weight=1000, payload=Payload(type="json", value='{"release":"m@1"}'))
    assert with_variants(OFF, FLAG, (variant,)).feature(FLAG).variants == (variant,)


def test_a_segment_takes_the_place_of_its_id() -> None:
    """A segment set twice is there once, as it was set last."""
    first = with_segment(OFF, segment_from(b'{"constraints":[]}', 1))
    second = with_segment(first, segment_from(b'{"name":"eu","constraints":[]}', 1))
    assert [segment.name for segment in second.segments] == ["eu"]


def test_an_unknown_flag_cannot_be_changed() -> None:
    """Switching a flag that is not there says so."""
    with pytest.raises(UnknownFlag, match=r"'x\.automated'"):
        switched(OFF, "x.automated", on=True)


def test_order_and_nulls_do_not_change_the_digest() -> None:
    """States that mean the same have the same digest, in whatever order and with whatever nulls they are written."""
    plain = json.loads(body_of(OFF))
    plain["features"].reverse()
    for feature in plain["features"]:
        feature |= {"variants": None, "stale": False, "dependencies": []}
    assert body_of(state_from(json.dumps(plain).encode())) == body_of(OFF)


@pytest.mark.parametrize(
    ("word", "body", "sentence"),
    [
        ("no JSON", "{", "This is not JSON"),
        ("not an object", "[]", "Expected `object`, got `array`"),
        ("misspelt", '{"features":[{"name":"a","enabled":true,"strategies":[{"name":"default","constraint":[]}]}]}',
         "Flag 'a': strategies[0]: Object contains unknown field `constraint`"),
        ("number for text",
         '{"features":[{"name":"a","enabled":true,"strategies":[{"name":"x","parameters":{"p":5}}]}]}',
         "Flag 'a': strategies[0].parameters[...]: Expected `str`, got `int`"),
        ("nameless", '{"features":[{"enabled":true,"strategies":[]}]}',
         "features[0]: Object missing required field `name`"),
        ("segment", '{"segments":[{"id":4,"constraints":5}]}', "Segment 4: constraints: Expected `array`, got `int`"),
        ("too deep", "[" * 100_000, "too deep"),
    ],
)  # fmt: skip
def test_a_refusal_names_flag_and_place(word: str, body: str, sentence: str) -> None:
    """A text that is no state is refused with the flag, the place in it and what was expected there."""
    with pytest.raises(InvalidFlags) as refusal:
        state_from(body.encode())
    assert sentence in str(refusal.value)


def test_a_flag_set_as_json_keeps_its_name() -> None:
    """JSON for one flag need not name it, and cannot rename it."""
    assert feature_from(b'{"enabled":false,"strategies":[]}', FLAG).name == FLAG
    with pytest.raises(InvalidFlags, match=r"expected 'm\.automated', got 'other'"):
        feature_from(b'{"name":"other","enabled":false,"strategies":[]}', FLAG)


def test_a_canonical_text_needs_json() -> None:
    """What is no JSON has no canonical form."""
    with pytest.raises(NotAFeatureState):
        canonical_json(b"nonsense")


def test_errors_carry_a_status_and_a_code() -> None:
    """Every error of the package has a status, a stable code and a sentence."""
    known = FlagsError.__subclasses__()
    assert len({error.code for error in known}) == len(known)
    assert all(400 <= error.status < 600 and (error.__doc__ or "").endswith((".", "}")) for error in known)
