"""Intervals of shares, and of quantiles. Pure.

Wilson's score interval, because its ends stay within 0 and 1 and its coverage holds for few trials and for shares near
0 or 1: E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference", Journal of the
American Statistical Association 22, 209-212; without continuity correction.
"""

from math import ceil, floor, sqrt

from review.release.evidence import Interval

Z_95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""


def wilson(successes: int, trials: int) -> Interval | None:
    """The share of successes with its 95 % interval; none where nothing was tried."""
    if not trials:
        return None
    share, square = successes / trials, Z_95**2
    centre = (share + square / (2 * trials)) / (1 + square / trials)
    half = Z_95 / (1 + square / trials) * sqrt(share * (1 - share) / trials + square / (4 * trials**2))
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == trials else centre + half
    return Interval(value=share, low=low, high=high, n=trials)


def quantile_ranks(n: int, quantile: float) -> tuple[int, int, int] | None:
    """The ranks, from 1 to n, of the values that are the low end, the quantile and the high end of its 95 % interval.

    None where n is too small for values on both sides. Distribution-free, by order statistics: W. J. Conover (1999),
    "Practical Nonparametric Statistics", 3rd edition, section 3.2, with the normal approximation of the binomial.
    """
    half = Z_95 * sqrt(n * quantile * (1 - quantile))
    low, high = floor(n * quantile - half), ceil(n * quantile + half) + 1
    return (low, ceil(n * quantile), high) if low >= 1 and high <= n else None
