"""Hours of review, and how long cases wait, at a load."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.release.evidence import Interval
from review.simulation.load import Pace, delay_s, erlang_c, load_of, pace_of

HALF_MINUTE = Pace(active_s=Interval(value=30.0, low=28.0, high=32.0, n=100), cv2=1.0)


@given(offered=st.floats(0.01, 20), more=st.integers(1, 10))
def test_the_chance_to_wait_is_erlangs(offered: float, more: int) -> None:
    """The recursion gives Erlang's sum of powers and factorials."""
    servers = math.floor(offered) + more
    last = offered**servers / math.factorial(servers)
    waits = last / (1 - offered / servers)
    others = sum(offered**k / math.factorial(k) for k in range(servers))
    assert erlang_c(offered, servers) == pytest.approx(waits / (others + waits))


def test_one_reviewer_is_the_textbooks_single_line() -> None:
    """With one server the delay is ρ / (μ − λ), and with times that never vary half of that."""
    assert delay_s(60.0, 120.0, 1, cv2=1.0) == pytest.approx(3600 * 0.5 / 60)
    assert delay_s(60.0, 120.0, 1, cv2=0.0) == pytest.approx(3600 * 0.5 / 60 / 2)


def test_the_delay_is_what_a_simulated_line_shows() -> None:
    """Cases at random to three reviewers, sixty thousand of them: the mean wait is the formula's within a tenth."""
    draw, free, at, waited = random.Random(7), [0.0] * 3, 0.0, []
    for _ in range(60_000):
        at += draw.expovariate(240 / 3600)
        first = min(range(3), key=free.__getitem__)
        begins = max(at, free[first])
        waited.append(begins - at)
        free[first] = begins + draw.expovariate(1 / 30)
    assert sum(waited) / len(waited) == pytest.approx(delay_s(240.0, 120.0, 3, cv2=1.0), rel=0.1)


LOADS = [
    ("nothing comes", [0.0, 0.0], 2, HALF_MINUTE, (0.0, 0.0, False)),
    ("nobody judges", [10.0, 10.0], 0, HALF_MINUTE, (2.0, None, True)),
    ("more than they can", [500.0, 500.0], 2, HALF_MINUTE, (100.0, None, True)),
    ("nothing was ever timed", [10.0], 2, None, (None, None, False)),
]


@pytest.mark.parametrize(("hours", "reviewers", "pace", "told"), [row[1:] for row in LOADS], ids=[r[0] for r in LOADS])
def test_what_a_load_asks_is_told_or_said_to_be_unknown(hours, reviewers, pace, told) -> None:
    """Each row gives the hours of review a day, the delay, and whether it grows without end."""
    load = load_of(hours, reviewers, pace, verdicts_each=1)
    assert (load.review_hours_a_day, load.delay_s, load.overloaded) == told


def test_the_busiest_hour_may_be_too_much_while_the_mean_is_not() -> None:
    """The line then grows by what is beyond the reviewers' pace."""
    load = load_of([0.0, 0.0, 300.0], 2, HALF_MINUTE, verdicts_each=1)
    assert (load.overloaded, load.peak_overloaded, load.growth_an_hour) == (False, True, 60.0)


def test_a_pace_is_the_mean_of_what_was_timed() -> None:
    """Of 10, 20 and 30 seconds the mean is 20 and the squared coefficient of variation a quarter; of none, nothing."""
    pace = pace_of(3, 60.0, 1400.0)
    assert pace is not None
    assert (pace.active_s.value, pace.cv2, pace.active_s.n) == (20.0, 0.25, 3)
    assert pace_of(0, 0.0, 0.0) is None
