"""Intervals of shares and quantiles, against scipy."""

import pytest
from scipy.stats import binom, binomtest

from review.release.intervals import quantile_ranks, wilson


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


@pytest.mark.parametrize(("n", "quantile"), [(20, 0.5), (100, 0.9), (700, 0.99), (1000, 0.99), (100_000, 0.999)])
def test_the_ranks_hold_the_quantile(n: int, quantile: float) -> None:
    """By the exact binomial, the true quantile lies between both ends in 95 of 100 cases or somewhat more."""
    ranks = quantile_ranks(n, quantile)
    assert ranks is not None
    low, middle, high = ranks
    assert 1 <= low <= middle <= high <= n
    held = binom.cdf(high - 1, n, quantile) - binom.cdf(low - 1, n, quantile)
    assert 0.945 <= held <= 0.99


@pytest.mark.parametrize(("n", "quantile"), [(0, 0.5), (4, 0.5), (500, 0.99)])
def test_too_few_values_have_no_interval_of_a_quantile(n: int, quantile: float) -> None:
    """Where an end would lie beyond the values there is none."""
    assert quantile_ranks(n, quantile) is None
