"""What may be done to a rollout, and what each act says before it is done."""

from uuid import UUID

import msgspec
import pytest

from review.console.rolling import USUAL, acts_of, lines_of, page_keys, preview_of, starting
from review.rollouts.errors import ScheduleRefused
from review.rollouts.schedule import schedule_of
from review.rollouts.standing import RolloutShown, StepShown

ROLLOUT = RolloutShown(
    id=UUID(int=1), model="s", flag="s.automated", state="running", percent=10, step=2,
    steps=(
        StepShown(percent=1, written="1% 1h", stands="taken"),
        StepShown(percent=10, written="10% 1d, approval", stands="now"),
        StepShown(percent=100, written="100%", stands="to come"),
    ),
    missing=("20h of its pause of 1d",), obstacle=None, told=None, requests=0, verdicts=0, approved_by=None,
    reach="10 % of requests", by="person:o", why="good", since_us=1, started_us=1, changed_us=1, version=2,
)  # fmt: skip
WAITS = msgspec.structs.replace(ROLLOUT, missing=("20h of its pause of 1d", "an approval"))
LAST = msgspec.structs.replace(ROLLOUT, step=3, percent=100, missing=())
PAUSED = msgspec.structs.replace(ROLLOUT, state="paused", missing=(), told="The model is halted.")
OVER = msgspec.structs.replace(ROLLOUT, state="finished", missing=())


@pytest.mark.parametrize(
    ("rollout", "offered"),
    [
        (ROLLOUT, "advance pause abort"),
        (WAITS, "approve advance pause abort"),
        (LAST, "advance pause abort"),
        (PAUSED, "resume abort"),
        (OVER, ""),
        (None, ""),
    ],
)
def test_only_what_makes_sense_is_offered_and_has_a_preview(rollout: RolloutShown | None, offered: str) -> None:
    """An act that somebody else was faster with, or that never made sense, has no page."""
    names = [act.name for act in acts_of(rollout)]
    assert names == offered.split()
    assert [name for name in ("approve", "advance", "pause", "resume", "abort") if preview_of(name, rollout)] == names


@pytest.mark.parametrize(
    ("act", "rollout", "words"),
    [
        ("advance", ROLLOUT, "does not wait any longer for 20h of its pause of 1d. The flag goes from 10 % to 100 %"),
        ("advance", LAST, "The rollout has come to its end; the flag stays as it is."),
        ("approve", WAITS, "what 10 % has shown is good enough. It still waits for 20h of its pause of 1d."),
        ("pause", ROLLOUT, "The flag stays on for 10 % of requests"),
        ("resume", PAUSED, "It was paused: The model is halted. Now the flag is on for 10 % of requests"),
        ("abort", ROLLOUT, "is switched off at once. Off means: every request is held for a person."),
    ],
)
def test_a_preview_says_what_will_be(act: str, rollout: RolloutShown, words: str) -> None:
    """Where the flag stands, and where it will stand."""
    preview = preview_of(act, rollout)
    assert preview is not None
    assert words in " ".join(preview.changes)
    assert preview.grave is (act == "abort")


def test_a_start_shows_every_step_and_sends_what_was_shown() -> None:
    """What is confirmed are the steps that were read, whatever they were written like."""
    preview = starting("s.automated", "nobody", "1% 1h, 5 verdicts\n\n 20 : 10 requests, approval\n100%")
    assert "Then 20 %, after 1h and 5 verdicts." in preview.changes
    assert "Then 100 %, after 10 requests that it was on for and an approval." in preview.changes
    assert "It ends at 100 %." in preview.changes
    assert preview.steps == "1% 1h, 5 verdicts\n20% 10 requests, approval\n100%"


def test_what_is_written_has_a_bound() -> None:
    """A field of a page is no place for a book."""
    with pytest.raises(ScheduleRefused):
        lines_of("1%\n" * 2000)
    assert len(schedule_of(USUAL)) == 4


def test_no_two_keys_of_the_page_are_alike() -> None:
    """Each key does one thing."""
    keys = [key.key for key in page_keys()]
    assert len(keys) == len(set(keys))
