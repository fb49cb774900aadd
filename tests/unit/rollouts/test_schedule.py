"""How the steps of a rollout are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.rollouts.errors import ScheduleRefused
from review.rollouts.schedule import COUNT_MAX, Step, left, length, schedule_of

HOUR = 3600.0


@pytest.mark.parametrize(
    ("written", "step"),
    [
        ("1%", Step(percent=1)),
        ("100", Step(percent=100)),
        (" 10 % : 24h ", Step(percent=10, pause_s=24 * HOUR)),
        ("10% 1.5h", Step(percent=10, pause_s=1.5 * HOUR)),
        ("10%, 1000 requests", Step(percent=10, requests=1000)),
        ("10% 1 verdict", Step(percent=10, verdicts=1)),
        ("50% 1d, 500 requests, 20 verdicts, approval",
         Step(percent=50, pause_s=24 * HOUR, requests=500, verdicts=20, approval=True)),
    ],
)  # fmt: skip
def test_a_step_is_read_as_people_write_it(written: str, step: Step) -> None:
    """A percentage, then what it waits for, in any combination."""
    assert schedule_of([written]) == (step,)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ([], "1 to 12 steps, not 0"),
        (["1% 1h"] * 13, "1 to 12 steps, not 13"),
        (["0%"], "Step 1 begins with a whole percentage"),
        (["101%"], "Step 1 begins with a whole percentage"),
        (["1.5%"], "Step 1 cannot wait for"),
        (["all"], "Step 1 begins with a whole percentage"),
        (["1% 1h", "1% 1h"], "Step 2 is 1 %, and must be more than step 1, 1 %."),
        (["10% 1h", "1% 1h"], "Step 2 is 1 %, and must be more than step 1, 10 %."),
        (["1%", "100%"], "Step 1 has nothing to wait for"),
        (["1% soon"], "Step 1 cannot wait for 'soon'"),
        (["1% 0s"], "Step 1 cannot wait for '0s'"),
        (["1% 91d"], "Step 1 cannot wait for '91d'"),
        (["1% 0 requests"], "Step 1 cannot wait for '0 requests'"),
        (["1% 1h, 2h"], "Step 1 says twice"),
    ],
)
def test_what_is_no_schedule_is_refused(written: list[str], fault: str) -> None:
    """Steps grow, each says what it waits for, and a slip is told with its place."""
    with pytest.raises(ScheduleRefused, match=fault.replace("(", "\\(")):
        schedule_of(written)


@given(
    st.builds(
        Step, percent=st.integers(1, 100), pause_s=st.integers(0, 7_000_000).map(float),
        requests=st.integers(0, COUNT_MAX), verdicts=st.integers(0, 10**6), approval=st.booleans(),
    )
)  # fmt: skip
def test_a_step_is_told_as_it_is_written(step: Step) -> None:
    """What is shown of a step can be pasted back."""
    assert schedule_of([step.told]) == (step,)


@given(st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    """No text is a fault of ours."""
    try:
        [step] = schedule_of([text])
    except ScheduleRefused:
        return
    assert 1 <= step.percent <= 100


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "1s"), (119, "119s"), (3600, "60m"), (7200, "2h"), (86_395, "24h"), (172_800, "2d"), (200_000, "3d")],
)
def test_what_is_left_does_not_tick(seconds: float, told: str) -> None:
    """It is rounded up, to the unit in which it is two at least."""
    assert left(seconds) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(1, "1s"), (90, "90s"), (120, "2m"), (5400, "90m"), (86_400, "1d"), (1_234_567, "1234567s"), (1.5, "1.5s")],
)
def test_lengths_are_told_in_the_largest_unit_that_fits(seconds: float, told: str) -> None:
    """Nothing is rounded."""
    assert length(seconds) == told
