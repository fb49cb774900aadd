"""Intervals of 95 % for shares. Pure; each names its source, and is checked against it in the tests."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from review.release.evidence import Interval

Z95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""
Reals = NDArray[np.float64]


def share(hits: int, n: int) -> Interval | None:
    """The share of hits among n equal items; none for no items.

    Source: Wilson, "Probable inference", JASA 22 (1927); recommended for small n by Brown, Cai and DasGupta,
    "Interval estimation for a binomial proportion", Statistical Science 16 (2001).
    """
    return wilson(hits / n, n, n) if n else None


def weighted_share(hits: Sequence[bool] | NDArray[np.bool_], weights: Reals) -> Interval | None:
    """The weighted share of hits, each item counting 1 / its inclusion probability; none for no items.

    Wilson's interval at the effective number of items (Σw)² / Σw². Source: Kish, "Survey Sampling" (1965), section
    11.7, for the effective number; Franco, Little, Louis and Slud, "Comparative study of confidence intervals for
    proportions in complex sample surveys", JSSAM 7 (2019), for Wilson at that number.
    """
    if len(weights) == 0 or not weights.sum() > 0:
        return None
    p = float(np.average(np.asarray(hits, dtype=float), weights=weights))
    return wilson(p, float(weights.sum() ** 2 / (weights**2).sum()), len(weights))


def wilson(p: float, effective: float, n: int) -> Interval:
    """Wilson's interval of a share p at an effective number of items, told with the n items that it rests on."""
    z2 = Z95 * Z95
    middle = (p + z2 / (2 * effective)) / (1 + z2 / effective)
    half = Z95 * math.sqrt(p * (1 - p) / effective + z2 / (4 * effective**2)) / (1 + z2 / effective)
    return Interval(value=p, low=max(0.0, min(p, middle - half)), high=min(1.0, max(p, middle + half)), n=n)


def paired_difference(fixes: int, breaks: int, n: int) -> Interval | None:
    """The difference of two shares of right answers on the same n items, candidate minus champion; none for no items.

    Source: Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design", Statistics in Medicine 17 (1998), as approximated by Bonett and Price, "Adjusted Wald confidence interval
    for a difference of binomial proportions based on paired data", JEBS 37 (2012): one discordant item is added to
    each side before Wald's formula.
    """
    if n == 0:
        return None
    more, less, of = (fixes + 1) / (n + 2), (breaks + 1) / (n + 2), n + 2
    half = Z95 * math.sqrt(max(0.0, more + less - (more - less) ** 2) / of)
    value = (fixes - breaks) / n
    low, high = more - less - half, more - less + half
    return Interval(value=value, low=max(-1.0, min(value, low)), high=min(1.0, max(value, high)), n=n)


def chance(fixes: int, breaks: int) -> float:
    """The probability of a split of the discordant items at least this uneven, were both releases equally good.

    Source: McNemar's exact test: two-sided binomial with q = ½, as in Fagerland, Lydersen and Laake, "The McNemar test
    for binary matched-pairs data", BMC Medical Research Methodology 13 (2013).
    """
    n, fewer = fixes + breaks, min(fixes, breaks)
    logs = [_log_choose(n, k) - n * math.log(2) for k in range(fewer + 1)]
    return min(1.0, 2 * math.fsum(map(math.exp, logs)))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
