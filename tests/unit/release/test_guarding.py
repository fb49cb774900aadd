"""The guard: the tables of `review.release.guarding`, row by row."""

from typing import Any

import msgspec
import pytest

from review.release.evidence import Interval
from review.release.guarding import (
    Breached,
    Declaration,
    Evidence,
    Figure,
    Latency,
    LatencyLimit,
    Passed,
    Share,
    ShareLimit,
    Standing,
    Watching,
    is_due,
    judge,
    standing_of,
)

UNTIL_US = 1_000_000


def interval(value: float, low: float, high: float, n: int = 100) -> Interval:
    """An interval, shortly."""
    return Interval(value=value, low=low, high=high, n=n)


BAD = Share(watch="errors", found=interval(0.2, 0.13, 0.29), limit=ShareLimit(limit=0.1))
GOOD = Share(watch="reversals", found=interval(0.05, 0.02, 0.09), limit=ShareLimit(limit=0.1))
FEW = Share(watch="refusals", found=interval(0.5, 0.3, 0.7, n=9), limit=ShareLimit(limit=0.1))
NONE = Latency(found=None, answers=0, limit=LatencyLimit(limit_s=0.25))
SLOW = Latency(found=interval(0.3, 0.26, 0.4, n=2000), answers=2000, limit=LatencyLimit(limit_s=0.25))


@pytest.mark.parametrize(
    ("found", "standing"),
    [
        (None, "too_few"),
        (interval(0.9, 0.8, 0.95, n=49), "too_few"),
        (interval(0.9, 0.8, 0.95, n=50), "breached"),
        (interval(0.2, 0.1001, 0.3), "breached"),
        (interval(0.2, 0.1, 0.3), "unsure"),
        (interval(0.05, 0.01, 0.1001), "unsure"),
        (interval(0.05, 0.01, 0.1), "within"),
        (interval(0.0, 0.0, 0.04), "within"),
    ],
)
def test_the_table_of_one_watch(found: Interval | None, standing: Standing) -> None:
    """Only a large enough sample whose interval begins above the limit breaches it."""
    assert standing_of(found, 0.1, 50) == standing


@pytest.mark.parametrize(
    ("evidence", "now_us", "verdict", "words"),
    [
        ((), UNTIL_US - 1, Watching, ""),
        ((GOOD, FEW, NONE), UNTIL_US - 1, Watching, ""),
        ((GOOD,), UNTIL_US, Passed, "The bake time is over and no limit is broken."),
        ((GOOD, FEW, NONE), UNTIL_US, Passed, "Too little came to tell of refusals and latency."),
        ((GOOD, BAD), 0, Breached, "The share of wrong automatic answers is 20.0% (95 % interval 13.0% to 29.0%, 100"),
        ((BAD, NONE), UNTIL_US, Breached, "100 audits), and 10.0% is allowed: it is above."),
        ((SLOW, BAD), 0, Breached, "is 300.0 ms (95 % interval 260.0 ms to 400.0 ms, 2,000 answers), and 250.0 ms"),
    ],
)
def test_the_table_of_all(evidence: tuple[Evidence, ...], now_us: int, verdict: type, words: str) -> None:
    """One breach is enough at any time; without one the bake time decides, and what stayed unknown is said."""
    found = judge(evidence, until_us=UNTIL_US, now_us=now_us)
    assert type(found) is verdict
    assert words in getattr(found, "told", "")
    assert len(found.figures) == len(evidence)


def test_a_breach_tells_of_what_is_breached_alone() -> None:
    """The reason of a rollback names each broken limit, and nothing that holds."""
    found = judge((GOOD, BAD, SLOW), until_us=UNTIL_US, now_us=0)
    assert isinstance(found, Breached)
    assert found.told == f"{BAD.figure().told} {SLOW.figure().told}"


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (FEW, "The share of requests that were refused or failed is not known yet: 9 requests so far, and 50"),
        (NONE, "The 0.99 quantile of the answers' times is not known yet: 0 answers so far, and 1,000"),
        (GOOD, "The share of judged items that people corrected is 5.0% (95 % interval 2.0% to 9.0%, 100 judged"),
    ],
)
def test_words_say_what_is_known(evidence: Evidence, words: str) -> None:
    """Every figure says on how many it rests, or that they are not enough yet."""
    assert evidence.figure().told.startswith(words)


S, H = 1_000_000, 3_600_000_000


@pytest.mark.parametrize(
    ("since_us", "looked_ago_us", "due"),
    [
        (0, None, True),
        (10 * S, 1 * S, False),
        (10 * S, 2 * S, True),
        (1 * H, 35 * S, False),
        (1 * H, 36 * S, True),
        (20 * H, 11 * 60 * S, False),
        (20 * H, 12 * 60 * S, True),
        (24 * H, 0, True),
    ],
)
def test_looks_grow_rarer(since_us: int, looked_ago_us: int | None, due: object) -> None:
    """After a hundredth of the time since the promotion and two seconds at least, and once the bake time is over."""
    looked_us = since_us - looked_ago_us if looked_ago_us is not None else None
    assert is_due(from_us=0, until_us=24 * H, looked_us=looked_us, now_us=since_us) == due


class Wagered(msgspec.Struct, frozen=True):
    """Evidence of another kind: a test that may be looked at at any time."""

    against: float

    def figure(self) -> Figure:
        """Breached once the evidence against the release is twenty to one."""
        return Figure(
            watch="errors", standing="breached" if self.against >= 20 else "unsure", sample=30, found=None, limit=20,
            min_sample=1, told=f"The evidence against it is {self.against:g} to one.",
        )  # fmt: skip


@pytest.mark.parametrize(("against", "verdict"), [(19.0, Watching), (20.0, Breached)])
def test_evidence_of_any_kind_is_judged(against: float, verdict: type) -> None:
    """What supplies a figure with its standing is evidence, however it came to that."""
    assert type(judge((Wagered(against), GOOD), until_us=UNTIL_US, now_us=0)) is verdict


@pytest.mark.parametrize(
    ("declared", "fits"),
    [
        ({"errors": {"limit": 0.1}}, True),
        ({"latency": {"limit_s": 0.25, "quantile": 0.5}, "on_breach": "roll_back", "bake_s": 60.0}, True),
        ({"errors": {"limit": 1.0}}, False),
        ({"errors": {"limit": -0.1}}, False),
        ({"reversals": {"limit": 0.1, "min_sample": 0}}, False),
        ({"latency": {"limit_s": 0.0}}, False),
        ({"latency": {"limit_s": 1.0, "quantile": 0.4}}, False),
        ({"bake_s": 0.0}, False),
        ({"on_breach": "shrug"}, False),
    ],
)
def test_a_declaration_has_bounds(declared: dict[str, Any], fits: object) -> None:
    """Shares lie from 0 to 1, samples and times are positive, and an act is one of three."""
    if fits:
        assert msgspec.convert(declared, Declaration).watches
        return
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(declared, Declaration)
