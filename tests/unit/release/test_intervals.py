"""Intervals of shares, against scipy."""

import pytest
from scipy.stats import binomtest

from review.release.intervals import wilson


@pytest.mark.parametrize("trials", [1, 2, 7, 50, 1000])
def test_wilson_is_what_scipy_computes(trials: int) -> None:
    """For every number of successes both ends agree with scipy's score interval to nine digits."""
    for successes in range(trials + 1):
        found = wilson(successes, trials)
        assert found is not None
        oracle = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
        assert (found.value, found.n) == (successes / trials, trials)
        assert found.low == pytest.approx(oracle.low, abs=1e-9)
        assert found.high == pytest.approx(oracle.high, abs=1e-9)


def test_nothing_tried_has_no_share() -> None:
    """There is no interval of nothing."""
    assert wilson(0, 0) is None
