"""What a release is worth on items whose truth is known: shares with intervals, never a figure without one. Pure.

Raw scores count cases, as people saw them. Weighted scores count traffic: an item that was drawn with the probability π
stands for 1/π items. Only holds and audits have a π that is known of all traffic; an item that was chosen because it
disagreed, was reported or drifted stands for nothing but itself and has the weight 0.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from review.learning.intervals import Reals, chance, paired_difference, share, weighted_share
from review.release.evidence import Comparison, Interval

BINS = 10
SLICES_SHOWN = 50
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(21))
REPRESENTATIVE = frozenset({"hold", "audit"})
Flags = NDArray[np.bool_]
Slices = Mapping[str, Sequence[str]]


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """A release's answers to some items, beside the truth; one element an item."""

    truth: Sequence[str]
    said: Sequence[str]
    """Empty where it gave no answer of the schema."""
    right: Flags
    """Whether it does not differ from the truth, as the label schema defines that."""
    scores: Reals
    """NaN where there is none."""
    weights: Reals


class ClassScore(msgspec.Struct, frozen=True, kw_only=True):
    """A class: of the items answered so how many are so, and of those that are so how many were answered so."""

    name: str
    precision: Interval | None
    recall: Interval | None


class SliceScore(msgspec.Struct, frozen=True, kw_only=True):
    """The share of right answers in a part of the traffic."""

    name: str
    """Such as `size=below 0`."""
    raw: Interval
    weighted: Interval | None


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Items with scores in [low, high): what the score promises, and what came."""

    low: float
    high: float
    mean_score: float
    right: Interval


class HoldPoint(msgspec.Struct, frozen=True, kw_only=True):
    """With everything held that scores below the threshold: the share reviewed, and the errors among the rest."""

    threshold: float
    reviewed: float
    error: Interval | None


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is said of a release on some items."""

    raw: Interval
    weighted: Interval | None
    classes: tuple[ClassScore, ...]
    slices: tuple[SliceScore, ...]
    labels: tuple[str, ...]
    """The rows and columns of `confusion`; empty when answers are no choices."""
    confusion: tuple[tuple[int, ...], ...]
    """Items by truth (row) and answer (column); the last column counts what was no answer."""
    bins: tuple[Bin, ...]
    calibration_error: float | None
    """The mean distance of score and share of right answers over the bins (ECE)."""
    hold_curve: tuple[HoldPoint, ...]


def scores_of(answers: Answers, slices: Slices, labels: Sequence[str]) -> Scores:
    """Every score of a release on at least one item; `labels` are the choices of the schema, or none."""
    raw = share(int(answers.right.sum()), len(answers.right))
    assert raw is not None
    return Scores(
        raw=raw,
        weighted=_weighted(answers.right, answers.weights),
        classes=tuple(_class_score(answers, label) for label in labels),
        slices=tuple(_slice_score(answers, name, chosen) for name, chosen in parts_of(slices)),
        labels=tuple(labels),
        confusion=_confusion(answers, labels),
        bins=(bins := calibration(answers.scores, answers.right)),
        calibration_error=calibration_error(bins),
        hold_curve=hold_curve(answers.scores, answers.right),
    )


def parts_of(slices: Slices) -> list[tuple[str, Flags]]:
    """The parts of the items by slice and value, the largest fifty of each slice, by name."""
    parts = []
    for name, values in slices.items():
        column = np.asarray(values, dtype=np.str_)
        found, counts = np.unique(column, return_counts=True)
        largest = sorted(zip(-counts, found, strict=True))[:SLICES_SHOWN]
        parts += [(f"{name}={value}", column == value) for value in sorted(str(v) for _, v in largest) if value]
    return parts


def weights_of(kinds: Sequence[str], probabilities: Sequence[float | None]) -> Reals:
    """How many items of the traffic each item stands for; 0 where its kind says nothing about the traffic."""
    return np.array(
        [
            1.0 / probability if kind in REPRESENTATIVE and probability else 0.0
            for kind, probability in zip(kinds, probabilities, strict=True)
        ]
    )


def calibration(scores: Reals, right: Flags) -> tuple[Bin, ...]:
    """Ten bins of equal width over [0, 1], without the empty ones; scores outside are in no bin."""
    bins = []
    for number in range(BINS):
        low, high = number / BINS, (number + 1) / BINS
        inside = (scores >= low) & ((scores < high) | ((number == BINS - 1) & (scores <= 1.0)))
        found = share(int(right[inside].sum()), int(inside.sum()))
        if found is not None:
            bins.append(Bin(low=low, high=high, mean_score=float(scores[inside].mean()), right=found))
    return tuple(bins)


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """The expected calibration error; none without scores.

    Source: Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015.
    """
    total = sum(each.right.n for each in bins)
    if not total:
        return None
    return sum(each.right.n * abs(each.mean_score - each.right.value) for each in bins) / total


def hold_curve(scores: Reals, right: Flags) -> tuple[HoldPoint, ...]:
    """For each threshold the share of items below it, and the share of errors among the others.

    An item without a score is held at every threshold, as the gateway does. Empty without any score.
    """
    if np.isnan(scores).all():
        return ()
    points = []
    for threshold in THRESHOLDS:
        let_through = scores >= threshold
        points.append(
            HoldPoint(
                threshold=threshold,
                reviewed=1.0 - float(let_through.mean()),
                error=share(int((~right[let_through]).sum()), int(let_through.sum())),
            )
        )
    return tuple(points)


def compare(champion: Flags, candidate: Flags, slices: Slices) -> tuple[Comparison, ...]:
    """Both releases on the same items: overall, then every part; item by item."""
    parts = [("overall", np.ones(len(champion), dtype=bool)), *parts_of(slices)]
    return tuple(_comparison(name, champion[chosen], candidate[chosen]) for name, chosen in parts)


def by_chance(comparison: Comparison) -> float:
    """The probability of such a difference were both equally good (McNemar's exact test)."""
    return chance(comparison.fixes, comparison.breaks)


def _comparison(what: str, champion: Flags, candidate: Flags) -> Comparison:
    n = len(champion)
    fixes, breaks = int((candidate & ~champion).sum()), int((champion & ~candidate).sum())
    before, after = share(int(champion.sum()), n), share(int(candidate.sum()), n)
    difference = paired_difference(fixes, breaks, n)
    assert before is not None
    assert after is not None
    assert difference is not None
    return Comparison(what=what, champion=before, candidate=after, difference=difference, fixes=fixes, breaks=breaks)


def _weighted(right: Flags, weights: Reals) -> Interval | None:
    counted = weights > 0
    return weighted_share(right[counted], weights[counted])


def _class_score(answers: Answers, label: str) -> ClassScore:
    truth, said = np.asarray(answers.truth) == label, np.asarray(answers.said) == label
    both = int((truth & said).sum())
    return ClassScore(name=label, precision=share(both, int(said.sum())), recall=share(both, int(truth.sum())))


def _slice_score(answers: Answers, name: str, chosen: Flags) -> SliceScore:
    raw = share(int(answers.right[chosen].sum()), int(chosen.sum()))
    assert raw is not None
    return SliceScore(name=name, raw=raw, weighted=_weighted(answers.right[chosen], answers.weights[chosen]))


def _confusion(answers: Answers, labels: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    place = {label: at for at, label in enumerate(labels)}
    table = np.zeros((len(labels), len(labels) + 1), dtype=int)
    for truth, said in zip(answers.truth, answers.said, strict=True):
        if truth in place:
            table[place[truth], place.get(said, len(labels))] += 1
    return tuple(tuple(int(count) for count in row) for row in table)
