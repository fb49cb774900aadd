"""What a settled answer changed, in figures and in words. Pure; nothing is said that the figures do not say.

A correction is an item on which what was served was wrong, so counts over corrections flatter every release but the one
that served. That is why the answers that people let stand are counted beside them, each with its number and interval,
and why none of it is called an accuracy: these are the cases that people saw, not the traffic.
"""

from collections.abc import Iterator, Sequence

import msgspec

from gateway.labels import Answer, LabelSchema
from review.console.words import answer
from review.learning.intervals import share
from review.release.evidence import Interval


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """So many settled items that went alike."""

    corrected: bool
    champion_right: bool | None
    """None where the release could not be run on them."""
    candidate_right: bool | None
    n: int


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a release says of the input of a settled item."""

    release: str
    answer: Answer | None
    right: bool


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How often each release is right about some items; none where it was not run on all of them."""

    n: int
    champion: Interval | None
    candidate: Interval | None


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What a settled answer changed."""

    answer: Answer
    """What is right."""
    corrected: bool
    served: Said
    """What was said when the item was decided."""
    champion: Said | None
    """What the release says that serves; none where it could not be run."""
    candidate: Said | None
    """What the release says that is compared with the champion; none where there is none, or it could not be run."""
    dataset: str | None
    """The newest dataset: what was settled after it is in no dataset yet. None where nothing was ever frozen."""
    since_us: int
    corrections: Tally
    """Items since the dataset on which people contradicted what was served."""
    approvals: Tally
    """Items since the dataset on which people let it stand."""
    until_training: int | None = None
    """How many more corrections it takes until the model is retrained by itself; none where that was not declared."""


def tally(counts: Sequence[Counted], *, corrected: bool, compared: bool) -> Tally:
    """How often each release was right about the corrected items, or about the others.

    With a candidate that is `compared`, only items count on which it was run.
    """
    mine = [count for count in counts if count.corrected == corrected]
    if compared:
        mine = [count for count in mine if count.candidate_right is not None]
    return Tally(
        n=sum(count.n for count in mine),
        champion=_share([(count.champion_right, count.n) for count in mine]),
        candidate=_share([(count.candidate_right, count.n) for count in mine]),
    )


def _share(counts: Sequence[tuple[bool | None, int]]) -> Interval | None:
    if any(right is None for right, _ in counts):
        return None
    return share(sum(n for right, n in counts if right), sum(n for _, n in counts))


def item_words(effect: Effect, labels: LabelSchema, judge: str) -> Iterator[str]:
    """What was said of this very item, and what the releases say; `judge` is `you` or `people`."""
    served, champion, candidate = effect.served, effect.champion, effect.candidate
    said = f"{served.release} said {answer(served.answer, labels)}"
    yield f"{said}; {judge} said {answer(effect.answer, labels)}." if effect.corrected else f"{said}; {judge} agreed."
    if champion is not None and champion.release != served.release:
        yield f"{champion.release}, which serves now, says {answer(champion.answer, labels)}: {_right(champion)}."
    if candidate is not None:
        yield f"{candidate.release} would have said {answer(candidate.answer, labels)}: {_right(candidate)}."


def training_words(effect: Effect) -> Iterator[str]:
    """When the model is retrained by itself; nothing where that was not declared."""
    left = effect.until_training
    if left is not None:
        yield f"{_many(left, 'more correction')}, and it is retrained by itself." if left else "Its retraining is due."


def period_words(effect: Effect, since: str) -> Iterator[str]:
    """How often the releases were right; `since` names the period, such as `since the dataset 6d0f4c`."""
    corrections, approvals, candidate = effect.corrections, effect.approvals, effect.candidate
    if candidate is None:
        total = corrections.n + approvals.n
        yield f"People corrected {corrections.n} of {_many(total, 'answer')} {since}; no newer release was run on them."
        return
    if corrections.candidate is not None:
        yield (
            f"Of {_many(corrections.n, 'correction')} {since}, {candidate.release} gets "
            f"{_hits(corrections.candidate)} right ({_interval(corrections.candidate)}){_champion(effect)}."
        )
    if approvals.candidate is not None:
        broken = share(approvals.n - _hits(approvals.candidate), approvals.n)
        assert broken is not None
        yield (
            f"Of {_many(approvals.n, 'answer')} that people let stand, it breaks {_hits(broken)} ({_interval(broken)})."
        )
    yield "Raw counts of the cases that people saw, not of the traffic; a correction is where what served was wrong."


def _champion(effect: Effect) -> str:
    if effect.champion is None or effect.corrections.champion is None:
        return ""
    return f", {effect.champion.release} {_hits(effect.corrections.champion)}"


def _right(said: Said) -> str:
    return "right" if said.right else "wrong"


def _many(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _hits(interval: Interval) -> int:
    return round(interval.value * interval.n)


def _interval(interval: Interval) -> str:
    return f"{interval.value:.1%}; 95 %: {interval.low:.1%} to {interval.high:.1%}; n = {interval.n}"
