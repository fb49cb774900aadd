"""How sure a share is. Pure."""

from math import sqrt

import msgspec

Z_95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """`count` of `of`, with its 95 % interval; `value` and `interval` are null where nothing was counted."""

    value: float | None
    interval: tuple[float, float] | None
    count: int
    of: int


def share(count: int, of: int) -> Share:
    """The share with Wilson's score interval, rounded to four digits; 0 ≤ count ≤ of."""
    if not of:
        return Share(value=None, interval=None, count=count, of=of)
    low, high = wilson(count, of)
    return Share(value=round(count / of, 4), interval=(round(low, 4), round(high, 4)), count=count, of=of)


def wilson(count: int, of: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of `count` successes in `of` trials (E. B. Wilson, JASA 22, 1927), within 0 and 1.

    The centre is (p + z²/2n) / (1 + z²/n) and the half width z·√(p(1−p)/n + z²/4n²) / (1 + z²/n).
    """
    p, weight = count / of, z * z / of
    centre = (p + weight / 2) / (1 + weight)
    half = z * sqrt(p * (1 - p) / of + weight / (4 * of)) / (1 + weight)
    low = 0.0 if count == 0 else centre - half
    high = 1.0 if count == of else centre + half
    return low, high


def percentile(values: list[float], share_: float) -> float | None:
    """The smallest value that at least this share of the values does not exceed (nearest rank); null without values."""
    if not values:
        return None
    rank = max(1, -int(-share_ * len(values) // 1))
    return sorted(values)[rank - 1]
