"""What is wrong with a model, for every way in which something can be."""

import msgspec
import pytest

from review.operations.troubles import Standing, troubles_of

WELL = Standing(halted=None, guarded=None, overdue=0, callers=0, to_confirm=None, automated=True)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({}, []),
        ({"halted": "every request is refused"}, ["bad Halted: every request is refused."]),
        ({"halted": "every request is refused", "automated": False}, ["bad Halted: every request is refused."]),
        ({"guarded": "Guard breached."}, ["bad Guard breached."]),
        ({"overdue": 1}, ["bad 1 case is past due."]),
        ({"overdue": 3, "callers": 2}, ["bad 3 cases are past due.", "look 2 callers wait for a person."]),
        ({"callers": 1}, ["look 1 caller waits for a person."]),
        ({"to_confirm": "s@2"}, ["look A second person has to confirm s@2."]),
        ({"rollouts": ("It is paused.", "It waits.")}, ["look It is paused. It waits."]),
        ({"automated": False}, ["look Nothing goes out without a person."]),
    ],
)
def test_what_is_wrong_is_said_gravest_first(now: dict[str, object], said: list[str]) -> None:
    """Each condition has its sentence and its level; a halt says enough about flags."""
    standing = msgspec.structs.replace(WELL, **now)
    assert [f"{one.level} {one.said}" for one in troubles_of(standing)] == said
