"""What a settled answer changed, in figures and in words: a table of synthetic counts, each with its word."""

import msgspec
import pytest

from gateway.labels import Choice, LabelSchema
from review.learning.effect import Counted, Effect, Said, item_words, period_words, tally, training_words
from review.learning.intervals import share

LABELS = LabelSchema(kind="choice", choices=(Choice(value="bad", title="Bad"), Choice(value="good", title="Good")))
NOBODY = tally([], corrected=True, compared=True)
COUNTS = (
    Counted(corrected=True, champion_right=False, candidate_right=True, n=41),
    Counted(corrected=True, champion_right=False, candidate_right=False, n=17),
    Counted(corrected=False, champion_right=True, candidate_right=True, n=118),
    Counted(corrected=False, champion_right=True, candidate_right=False, n=2),
    Counted(corrected=False, champion_right=True, candidate_right=None, n=5),
)


def effect(**more: object) -> Effect:
    """A correction, beside a candidate that is right."""
    given = Effect(
        answer="good",
        corrected=True,
        served=Said(release="mood@3", answer="bad", right=False),
        champion=Said(release="mood@3", answer="bad", right=False),
        candidate=Said(release="mood@4", answer="good", right=True),
        dataset="6d0f4c",
        since_us=1,
        corrections=tally(COUNTS, corrected=True, compared=True),
        approvals=tally(COUNTS, corrected=False, compared=True),
    )
    return msgspec.structs.replace(given, **more)


def test_both_releases_are_counted_on_the_same_items() -> None:
    """Where a candidate is compared with the champion, an item on which it was not run counts for neither."""
    corrections, approvals = effect().corrections, effect().approvals
    assert (corrections.n, corrections.champion, corrections.candidate) == (58, share(0, 58), share(41, 58))
    assert (approvals.n, approvals.champion, approvals.candidate) == (120, share(120, 120), share(118, 120))
    alone = tally(COUNTS, corrected=False, compared=False)
    assert (alone.n, alone.champion, alone.candidate) == (125, share(125, 125), None)


def test_what_is_unknown_is_not_counted_as_wrong() -> None:
    """A release that could not be run on some of the items has no share of them."""
    counts = [*COUNTS, Counted(corrected=True, champion_right=None, candidate_right=True, n=1)]
    found = tally(counts, corrected=True, compared=True)
    assert (found.n, found.champion, found.candidate) == (59, None, share(42, 59))
    assert tally([], corrected=True, compared=True).candidate is None


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "mood@3 said Bad; you said Good. mood@4 would have said Good: right."),
        (
            {"candidate": Said(release="mood@4", answer=None, right=False)},
            "mood@3 said Bad; you said Good. mood@4 would have said no answer: wrong.",
        ),
        ({"candidate": None}, "mood@3 said Bad; you said Good."),
        (
            {"champion": Said(release="mood@5", answer="good", right=True), "candidate": None},
            "mood@3 said Bad; you said Good. mood@5, which serves now, says Good: right.",
        ),
        ({"corrected": False, "candidate": None}, "mood@3 said Bad; you agreed."),
    ],
    ids=["a candidate", "no answer", "alone", "another champion", "approved"],
)
def test_the_item_in_words(more: dict[str, object], said: str) -> None:
    """What was served, what is right by the titles of the label schema, and what the others say."""
    assert " ".join(item_words(effect(**more), LABELS, "you")) == said


def test_the_period_in_words() -> None:
    """Each figure with its number and interval, and that these are cases and not the traffic."""
    assert list(period_words(effect(), "since Tuesday")) == [
        "Of 58 corrections since Tuesday, mood@4 gets 41 right (70.7%; 95 %: 58.0% to 80.8%; n = 58), mood@3 0.",
        "Of 120 answers that people let stand, it breaks 2 (1.7%; 95 %: 0.5% to 5.9%; n = 120).",
        "Raw counts of the cases that people saw, not of the traffic; a correction is where what served was wrong.",
    ]
    alone = effect(candidate=None, corrections=tally(COUNTS, corrected=True, compared=False))
    assert list(period_words(alone, "so far")) == [
        "People corrected 58 of 178 answers so far; no newer release was run on them."
    ]
    fresh = effect(corrections=NOBODY, approvals=NOBODY)
    assert len(list(period_words(fresh, "so far"))) == 1


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (None, []),
        (12, ["12 more corrections, and it is retrained by itself."]),
        (1, ["1 more correction, and it is retrained by itself."]),
        (0, ["Its retraining is due."]),
    ],
)
def test_when_the_next_training_comes_is_told_where_it_comes_by_itself(left: int | None, said: list[str]) -> None:
    """Nothing is promised where nobody declared it."""
    assert list(training_words(effect(until_training=left))) == said
