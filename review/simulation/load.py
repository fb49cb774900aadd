"""What a load of cases asks of the people who judge them: hours of work, and how long a case waits. PURE.

The queue is taken as G/G/c: cases come at random (Poisson) at `cases_an_hour`, each needs `verdicts_each` verdicts of
`active_s` seconds at a squared coefficient of variation `cv2`, and `reviewers` people take the oldest first.

    a = λ / μ,  ρ = a / c
    P(wait) = Erlang C = (aᶜ/c!) / ((1 − ρ) Σ_{k<c} aᵏ/k! + aᶜ/c!)
    Wq = P(wait) / (cμ − λ) · (1 + cv²) / 2

Source: Erlang C in Gross, Shortle, Thompson and Harris, "Fundamentals of Queueing Theory", 4th ed. (2008), section 2.3;
its correction for another spread of service times in Allen, "Probability, Statistics and Queueing Theory", 2nd ed.
(1990), section 5.3 (the Allen-Cunneen approximation with Poisson arrivals). With ρ ≥ 1 no delay is steady: the line
grows by λ − cμ cases an hour.
"""

import math
from collections.abc import Sequence

import msgspec

from review.learning.intervals import Z95
from review.release.evidence import Interval

HOUR_S = 3600.0


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long verdicts took: measured active seconds."""

    active_s: Interval
    """The mean, with the normal interval of 95 % over its n verdicts."""
    cv2: float
    """The squared coefficient of variation."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Cases in the mean hour and in the busiest one, and what they ask of the reviewers there are."""

    cases_an_hour: float
    peak_an_hour: float
    review_hours_a_day: float | None = None
    """None where no verdict was ever timed."""
    reviewers_needed: float | None = None
    """How many people the mean hour keeps busy without a pause."""
    delay_s: float | None = None
    """The mean wait in the mean hour; None where it is not known or not steady."""
    peak_delay_s: float | None = None
    """The same, were the busiest hour to last."""
    overloaded: bool = False
    """Whether more comes in the mean hour than the reviewers can judge."""
    peak_overloaded: bool = False
    growth_an_hour: float = 0.0
    """By how many cases the line grows in the busiest hour, where that is overloaded."""


def pace_of(n: int, total_s: float, squares_s2: float) -> Pace | None:
    """The pace of n verdicts with this sum of seconds and of squares; none for no verdicts, or none that took time."""
    if n == 0 or total_s <= 0.0:
        return None
    mean = total_s / n
    variance = max(0.0, (squares_s2 - n * mean * mean) / (n - 1)) if n > 1 else mean * mean
    half = Z95 * math.sqrt(variance / n)
    return Pace(
        active_s=Interval(value=mean, low=max(0.0, mean - half), high=mean + half, n=n), cv2=variance / mean**2
    )  # fmt: skip


def load_of(hours: Sequence[float], reviewers: int, pace: Pace | None, verdicts_each: int) -> Load:
    """The load of so many cases in each hour of the window."""
    mean, peak = (sum(hours) / len(hours), max(hours)) if hours else (0.0, 0.0)
    if pace is None:
        return Load(cases_an_hour=mean, peak_an_hour=peak)
    seconds = pace.active_s.value * verdicts_each
    rate = HOUR_S / seconds
    return Load(
        cases_an_hour=mean,
        peak_an_hour=peak,
        review_hours_a_day=24 * mean * seconds / HOUR_S,
        reviewers_needed=mean / rate,
        delay_s=delay_s(mean, rate, reviewers, pace.cv2),
        peak_delay_s=delay_s(peak, rate, reviewers, pace.cv2),
        overloaded=mean >= reviewers * rate and mean > 0,
        peak_overloaded=peak >= reviewers * rate and peak > 0,
        growth_an_hour=max(0.0, peak - reviewers * rate),
    )


def delay_s(arrivals: float, rate: float, servers: int, cv2: float) -> float | None:
    """The mean seconds in line: `arrivals` and `rate` (of one server) are an hour; None where it never settles."""
    if arrivals <= 0.0:
        return 0.0
    if arrivals >= servers * rate:
        return None
    waits = erlang_c(arrivals / rate, servers)
    return HOUR_S * waits / (servers * rate - arrivals) * (1 + cv2) / 2


def erlang_c(offered: float, servers: int) -> float:
    """The probability that a case has to wait, for an offered load below the number of servers.

    By Erlang B's recursion, which no factorial overflows: B(0) = 1, B(k) = aB(k−1) / (k + aB(k−1)), and
    C = B / (1 − ρ(1 − B)).
    """
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = offered * blocked / (server + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))
