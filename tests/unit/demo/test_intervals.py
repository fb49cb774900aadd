"""Shares and their intervals, checked against scipy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from demo.play.intervals import percentile, share, wilson


@given(st.integers(1, 2000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_is_wilsons(count_of: tuple[int, int]) -> None:
    """It is scipy's score interval for any count."""
    count, of = count_of
    expected = binomtest(count, of).proportion_ci(0.95, method="wilson")
    assert wilson(count, of) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_nothing_counted_has_no_share() -> None:
    """A share of nothing is null, not zero."""
    assert (share(0, 0).value, share(0, 0).interval) == (None, None)


@pytest.mark.parametrize(
    ("values", "at", "expected"),
    [
        ([], 0.99, None),  # nothing
        ([7.0], 0.99, 7.0),  # one value
        ([3.0, 1.0, 2.0], 0.5, 2.0),  # the middle one, in any order
        ([float(n) for n in range(1, 101)], 0.99, 99.0),  # the 99th of a hundred
        ([float(n) for n in range(1, 12)], 0.99, 11.0),  # the largest of few
    ],
)
def test_percentiles_are_by_nearest_rank(values: list[float], at: float, expected: float | None) -> None:
    """A percentile is always one of the values."""
    assert percentile(values, at) == expected
