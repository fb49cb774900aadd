"""Errors that would go out, and errors that people would catch, from outcomes that are known already. PURE.

Estimated from items that were held, of which people settled some, and from items that were drawn for audit with a known
probability π; what was reported or only differed between releases says nothing about the rest and is left out. Items
fall into domains by whether they were held when recorded, and by whether a side holds them. In each domain the share of
wrong answers is Σw·wrong / Σw over its items with an outcome, w = 1 for held ones and 1/π for audited ones (Hájek's
ratio estimator: who never got an outcome is taken to be like those who did), with Wilson's interval at Kish's effective
number of items; it is multiplied by the number of items of the domain in the traffic. Sums of domains carry the
intervals of Zou and Donner, "Construction of confidence limits about effect measures: a general approach", Statistics
in Medicine 27 (2008): the distances of the bounds add as squares. A domain without any outcome is said to be unknown,
with its number of items.
"""

import math
from collections.abc import Iterable, Mapping

import msgspec

from review.learning.intervals import wilson
from review.release.evidence import Interval
from review.simulation.tally import Known, Stratum

STRATA: tuple[Stratum, ...] = ("held", "audited")
Domain = tuple[Stratum, bool, bool]


class Errors(msgspec.Struct, frozen=True, kw_only=True):
    """Wrong answers among items of the window."""

    items: float
    errors: Interval | None
    """The expected number; none where nothing is known."""
    unknown_items: float
    """Items of domains without a single outcome; their errors are not in the number."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What one side lets through, and what it puts before people."""

    through: Errors
    caught: Errors


def expected_of(
    populations: Mapping[Domain, int], known: Mapping[Domain, Known], scale: float, *, then: bool
) -> Expected:
    """The errors of one side; `scale` is how many decisions stand behind each one that was read."""

    def errors(held: bool) -> Errors:
        domains = [(stratum, *_fate(held, other, then)) for stratum in STRATA for other in (False, True)]
        return _errors(_by_stratum(domains, populations, known), scale)

    return Expected(through=errors(False), caught=errors(True))


def _fate(held: bool, other: bool, then: bool) -> tuple[bool, bool]:
    return (other, held) if then else (held, other)


def _by_stratum(
    domains: Iterable[Domain], populations: Mapping[Domain, int], known: Mapping[Domain, Known]
) -> list[tuple[int, Known]]:
    """The items and the outcomes of each stratum, over both fates on the other side."""
    found: dict[Stratum, tuple[int, Known]] = {stratum: (0, Known()) for stratum in STRATA}
    for domain in domains:
        items, so_far = found[domain[0]]
        one = known.get(domain, Known())
        summed = Known(**{name: getattr(so_far, name) + getattr(one, name) for name in Known.__struct_fields__})
        found[domain[0]] = items + populations.get(domain, 0), summed
    return list(found.values())


def _errors(domains: Iterable[tuple[int, Known]], scale: float) -> Errors:
    items = unknown = value = below = above = 0.0
    n = 0
    for count, known in domains:
        size = count * scale
        items += size
        if known.n == 0:
            unknown += size
            continue
        share = wilson(known.weighted_wrong / known.weight, known.weight**2 / known.weight2, known.n)
        n += known.n
        value += size * share.value
        below += (size * (share.value - share.low)) ** 2
        above += (size * (share.high - share.value)) ** 2
    errors = Interval(value=value, low=max(0.0, value - math.sqrt(below)), high=value + math.sqrt(above), n=n)
    return Errors(items=items, errors=errors if n else None, unknown_items=unknown)
