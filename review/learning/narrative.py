"""What the figures of an evaluation say, in plain words. Pure; nothing is said that the figures do not say."""

from collections.abc import Iterator, Sequence

import msgspec

from review.learning.scores import Scores, by_chance
from review.release.evidence import Comparison, Interval

FEW = 30
MANY_SLICES = 5


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the words are made from."""

    release: str
    baseline: str | None
    dataset: str
    held_out: int
    overlap: int
    overlap_known: bool
    no_answer: int
    scores: Scores
    comparisons: Sequence[Comparison]
    elsewhere: Sequence[str] = ()
    """What has to be said of a release that ran on another server."""


def narrative_of(told: Told) -> tuple[str, ...]:
    """The sentences, the most important first."""
    return (
        *_accuracy(told),
        *told.elsewhere,
        *_against(told),
        *_slices(told),
        *_calibration(told.scores),
        *_cleanness(told),
    )


def _accuracy(told: Told) -> Iterator[str]:
    yield (
        f"{told.release} was run over the {told.held_out} held-out items of the dataset {told.dataset[:12]}; it is "
        f"right about {_shown(told.scores.raw)} of them."
    )
    if told.held_out < FEW:
        yield f"{told.held_out} items are few: every figure here is uncertain."
    if told.scores.weighted is None:
        yield "No item was drawn with a known probability, so nothing can be said about the traffic as a whole."
    else:
        yield f"Weighted to the traffic, that is {_shown(told.scores.weighted)}."
    if told.no_answer:
        yield f"To {told.no_answer} of them it gave no answer of the label schema; those count as wrong."


def _against(told: Told) -> Iterator[str]:
    if told.baseline is None or not told.comparisons:
        yield "It is the champion itself, so there is nothing to compare it with."
        return
    overall = told.comparisons[0]
    yield (
        f"Beside the champion {told.baseline}, which is right about {_shown(overall.champion)}, it fixes "
        f"{overall.fixes} and breaks {overall.breaks}: {_points(overall.difference)}."
    )
    yield _verdict(overall)


def _verdict(overall: Comparison) -> str:
    if overall.fixes == overall.breaks:
        return "The two are equally often right on these items."
    better = "better" if overall.fixes > overall.breaks else "worse"
    p = by_chance(overall)
    if _is_decided(overall):
        return f"That it is {better} is more than chance: equally good releases would differ so in {p:.2%} of cases."
    return f"That it looks {better} may be chance: equally good releases would differ so in {p:.0%} of cases."


def _slices(told: Told) -> Iterator[str]:
    slices = told.comparisons[1:]
    if told.baseline is None or not slices:
        return
    worse = sorted((each for each in slices if each.difference.value < 0), key=lambda each: each.difference.value)
    surely = [each for each in worse if _is_decided(each)]
    for each in surely:
        yield f"It got worse in {each.what}: {_points(each.difference)}, fixing {each.fixes}, breaking {each.breaks}."
    if worse and not surely:
        yield (
            f"The slice that looks worse is {worse[0].what}: {_points(worse[0].difference)}, fixing {worse[0].fixes}, "
            f"breaking {worse[0].breaks}; on {worse[0].difference.n} items that may be chance."
        )
    if not worse:
        yield "No slice got worse."
    if len(slices) > MANY_SLICES:
        yield f"{len(slices)} slices were looked at; one in twenty may look different by chance alone."


def _calibration(scores: Scores) -> Iterator[str]:
    if scores.calibration_error is not None:
        yield f"Its scores are off by {100 * scores.calibration_error:.1f} points on average."


def _cleanness(told: Told) -> Iterator[str]:
    if told.overlap:
        yield (
            f"{told.overlap} of the held-out inputs are among those that it learned from, so these figures flatter it; "
            "they are no clean evidence."
        )
    elif told.overlap_known:
        yield "None of the held-out inputs is among those that it learned from."
    else:
        yield "No training data is attached to it, so it cannot be told whether it has seen these inputs before."


def _is_decided(comparison: Comparison) -> bool:
    """Whether the interval of the difference leaves zero out, and the exact test agrees."""
    leaves_zero_out = comparison.difference.low > 0 or comparison.difference.high < 0
    return leaves_zero_out and by_chance(comparison) < 0.05


def _shown(interval: Interval) -> str:
    return f"{interval.value:.1%} (95 %: {interval.low:.1%} to {interval.high:.1%}; n = {interval.n})"


def _points(interval: Interval) -> str:
    value, low, high = (100 * each for each in (interval.value, interval.low, interval.high))
    return f"a difference of {value:+.1f} points (95 %: {low:+.1f} to {high:+.1f}; n = {interval.n})"
