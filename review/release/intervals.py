"""Intervals of shares. Pure.

Wilson's score interval, because its ends stay within 0 and 1 and its coverage holds for few trials and for shares near
0 or 1: E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference", Journal of the
American Statistical Association 22, 209-212; without continuity correction.
"""

from math import sqrt

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
