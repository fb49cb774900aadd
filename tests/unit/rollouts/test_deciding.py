"""What comes next in a rollout."""

from typing import Any

import pytest
from msgspec.structs import replace

from review.rollouts.deciding import Around, Came, Finish, Next, Pause, Take, Wait, must_count, next_of
from review.rollouts.schedule import Step

STEPS = (
    Step(percent=1, pause_s=3600.0),
    Step(percent=10, requests=500, verdicts=20),
    Step(percent=50, approval=True),
    Step(percent=100),
)
ROUND = Around(kind="automated", as_left=True, reach="10 % of requests")
HOUR_IN = Came(elapsed_s=3600.0)


def came(**changes: Any) -> Came:
    """What has come, after an hour."""
    return replace(HOUR_IN, **changes)


@pytest.mark.parametrize(
    ("word", "step", "has_come", "next_"),
    [
        ("the pause has begun", 0, came(elapsed_s=0.0), Wait(missing=("60m of its pause of 1h",))),
        ("the pause is nearly over", 0, came(elapsed_s=3599.9), Wait(missing=("1s of its pause of 1h",))),
        ("the pause is over", 0, HOUR_IN, Take(step=1)),
        ("nothing was counted", 1, HOUR_IN, Wait(missing=("500 of 500 requests", "20 of 20 verdicts"))),
        ("verdicts are missing", 1, came(requests=500), Wait(missing=("20 of 20 verdicts",))),
        ("all has come", 1, came(requests=501, verdicts=20), Take(step=2)),
        ("nobody approved", 2, HOUR_IN, Wait(missing=("an approval",))),
        ("somebody approved", 2, came(approved=True), Take(step=3)),
        ("the last step", 3, HOUR_IN, Finish()),
    ],
)  # fmt: skip
def test_a_step_is_taken_when_all_has_come(word: str, step: int, has_come: Came, next_: Next) -> None:
    """Pause, requests, verdicts and approval: whatever a step asks for must be there."""
    assert next_of(STEPS, step, has_come, ROUND) == next_


@pytest.mark.parametrize(
    ("around", "words"),
    [
        (replace(ROUND, as_left=False), "it is on for 10 % of requests now"),
        (replace(ROUND, halted=True), "The model is halted."),
        (replace(ROUND, moved="rolled_back"), "was rolled back"),
        (replace(ROUND, moved="promoted"), "Another release was promoted"),
        (replace(ROUND, kind="candidate", trial=False), "The trial is over"),
        (replace(ROUND, kind="shadow", trial=False), "The trial is over"),
        (replace(ROUND, as_left=False, halted=True), "Somebody changed the flag"),
    ],
)
@pytest.mark.parametrize("has_come", [came(elapsed_s=0.0), came(requests=500, verdicts=20)], ids=["waiting", "due"])
def test_what_people_must_look_at_pauses_it(around: Around, words: str, has_come: Came) -> None:
    """A hand on the flag, a halt, a rollback or the end of a trial pauses it, due or not."""
    found = next_of(STEPS, 1, has_come, around)
    assert isinstance(found, Pause)
    assert words in found.why


def test_automated_needs_no_trial() -> None:
    """Only what a trial is needed for stops with it."""
    assert next_of(STEPS, 0, HOUR_IN, replace(ROUND, trial=False)) == Take(step=1)


@pytest.mark.parametrize(
    ("word", "step", "has_come", "looked_s", "counts"),
    [
        ("nothing is asked for", 0, HOUR_IN, None, False),
        ("never counted", 1, HOUR_IN, None, True),
        ("counted a moment ago", 1, HOUR_IN, 3590.0, False),
        ("counted a while ago", 1, HOUR_IN, 3560.0, True),
        ("all has come", 1, came(requests=500, verdicts=20), 3560.0, False),
        ("soon after the step", 1, came(elapsed_s=3.0), 1.0, True),
    ],
)
def test_what_has_come_is_counted_as_seldom_as_can_be(
    word: str, step: int, has_come: Came, looked_s: float | None, counts: bool
) -> None:
    """Only what is asked for and missing, and ever more seldom as the step gets older."""
    assert must_count(STEPS[step], has_come, looked_s) is counts


def test_nothing_is_counted_before_the_pause_is_over() -> None:
    """A step that cannot be over needs no figures."""
    assert not must_count(Step(percent=1, pause_s=60.0, requests=5), Came(elapsed_s=59.0), None)
