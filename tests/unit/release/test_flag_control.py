"""Which changes of a flag lower human control."""

import pytest
from msgspec.structs import replace

from flags.definitions import (
    Constraint,
    Dependency,
    Payload,
    State,
    Variant,
    constrained,
    rolled_out,
    switched,
    with_feature,
    with_model_flags,
    with_variants,
)  # fmt: skip
from review.release.flag_control import lowered_by_flag

FLAG, SHADOW, CANDIDATE = "sentiment.automated", "sentiment.shadow", "sentiment.candidate"
OFF = with_model_flags(State(), "sentiment")
ON = switched(OFF, FLAG, on=True)
FEW, MANY = rolled_out(ON, FLAG, 10), rolled_out(ON, FLAG, 60)
NORTH = Constraint(context_name="region", operator="IN", values=("north",))
SURE = Variant(
    name="sure", weight=1000, payload=Payload(type="json", value='{"release": "sentiment@1", "hold_below": 0}')
)
DEPENDENT = with_feature(ON, replace(ON.feature(FLAG), dependencies=(Dependency(feature=SHADOW),)))
MANY_NORTH, FEW_NORTH = (constrained(state, FLAG, (NORTH,)) for state in (MANY, FEW))

TABLE = [
    ("nothing", ON, ON, FLAG, False),
    ("switched on", OFF, ON, FLAG, True),
    ("switched off", ON, OFF, FLAG, False),
    ("defined while off", OFF, rolled_out(OFF, FLAG, 60), FLAG, False),
    ("more", FEW, MANY, FLAG, True),
    ("fewer", MANY, FEW, FLAG, False),
    ("a share instead of everybody", ON, FEW, FLAG, False),
    ("everybody instead of a share", FEW, ON, FLAG, True),
    ("fewer, by another key", MANY, rolled_out(ON, FLAG, 10, stickiness="tenant"), FLAG, True),
    ("a constraint", ON, constrained(ON, FLAG, (NORTH,)), FLAG, True),
    ("fewer, under the same constraint", MANY_NORTH, FEW_NORTH, FLAG, False),
    ("a variant with another threshold", ON, with_variants(ON, FLAG, (SURE,)), FLAG, True),
    ("the candidate answers", ON, switched(ON, CANDIDATE, on=True), CANDIDATE, False),
    ("what automated depends on", DEPENDENT, switched(DEPENDENT, SHADOW, on=True), SHADOW, True),
]  # fmt: skip


@pytest.mark.parametrize(("was", "shall", "flag", "lowers"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_more_answers_without_a_person_is_less_control(was: State, shall: State, flag: str, lowers: bool) -> None:
    """Each row says whether the change of a flag lowers human control; what cannot be told to raise it does."""
    assert bool(lowered_by_flag(was, shall, flag)) is lowers
