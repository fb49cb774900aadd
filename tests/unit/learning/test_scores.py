"""Scores and intervals against scipy, scikit-learn and simulation."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from review.learning.intervals import chance, paired_difference, share, weighted_share
from review.learning.scores import (
    Answers,
    calibration,
    calibration_error,
    compare,
    hold_curve,
    scores_of,
    weights_of,
)

LABELS = ("a", "b", "c")
COUNTS = [(0, 1), (1, 1), (0, 30), (30, 30), (7, 11), (450, 1000)]


def drawn(n: int = 400, seed: int = 3) -> Answers:
    """Answers that are right more often the surer they are."""
    random = np.random.default_rng(seed)
    truth = random.choice(LABELS, n)
    scores = random.uniform(0.3, 1.0, n)
    said = np.where(random.uniform(size=n) < scores, truth, random.choice(LABELS, n))
    return Answers(
        truth=truth.tolist(), said=said.tolist(), right=truth == said, scores=scores,
        weights=random.choice([1.0, 10.0, 0.0], n),
    )  # fmt: skip


@pytest.mark.parametrize(("hits", "n"), COUNTS)
def test_a_share_has_wilsons_interval(hits: int, n: int) -> None:
    """As scipy computes it."""
    found, oracle = share(hits, n), binomtest(hits, n).proportion_ci(method="wilson")
    assert found is not None
    assert (found.value, found.n) == (hits / n, n)
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


def test_equal_weights_weigh_nothing() -> None:
    """A weighted share with equal weights is the plain one; without weight there is none."""
    hits = np.array([True] * 7 + [False] * 4)
    found, plain = weighted_share(hits, np.full(11, 3.0)), share(7, 11)
    assert found is not None
    assert plain is not None
    assert (found.value, found.low, found.high) == pytest.approx((plain.value, plain.low, plain.high))
    assert weighted_share(hits[:0], np.array([])) is None
    assert share(0, 0) is None


def test_the_weighted_interval_covers_the_traffic_and_the_raw_share_does_not() -> None:
    """Sure items are right and drawn rarely: weighted, 95 % of 2,000 simulated intervals hold the truth, within 2 %."""
    random, covered, naive = np.random.default_rng(11), 0, 0
    traffic, low, rounds = 3000, 0.1, 2000
    for _ in range(rounds):
        probabilities = np.where(random.uniform(size=traffic) < 0.3, 0.5, low)
        right = random.uniform(size=traffic) < np.where(probabilities == 0.5, 0.6, 0.95)
        seen = random.uniform(size=traffic) < probabilities
        found = weighted_share(right[seen], 1 / probabilities[seen])
        raw = share(int(right[seen].sum()), int(seen.sum()))
        assert found is not None
        assert raw is not None
        covered += found.low <= 0.3 * 0.6 + 0.7 * 0.95 <= found.high
        naive += raw.low <= 0.3 * 0.6 + 0.7 * 0.95 <= raw.high
    assert covered / rounds > 0.93
    assert naive / rounds < 0.2


@pytest.mark.parametrize(("fix", "break_"), [(0.05, 0.05), (0.1, 0.02), (0.02, 0.0)])
def test_the_paired_interval_covers_the_difference(fix: float, break_: float) -> None:
    """Of 4,000 simulated comparisons at least 93 % hold the true difference."""
    random = np.random.default_rng(5)
    counts = random.multinomial(200, [fix, break_, 1 - fix - break_], size=4000)
    found = [paired_difference(int(fixes), int(breaks), 200) for fixes, breaks, _ in counts]
    covered = sum(each is not None and each.low <= fix - break_ <= each.high for each in found)
    assert covered / len(found) > 0.93


@pytest.mark.parametrize(("fixes", "breaks"), [(0, 0), (1, 0), (14, 2), (5, 5), (300, 250)])
def test_chance_is_mcnemars_exact_test(fixes: int, breaks: int) -> None:
    """As scipy's binomial test computes it; nothing discordant is surely chance."""
    oracle = binomtest(fixes, fixes + breaks).pvalue if fixes + breaks else 1.0
    assert chance(fixes, breaks) == pytest.approx(oracle)


def test_scores_are_those_of_scikit_learn() -> None:
    """Accuracy, weighted accuracy, precision, recall and confusion."""
    answers = drawn()
    found = scores_of(answers, {}, LABELS)
    precision, recall, _, _ = precision_recall_fscore_support(answers.truth, answers.said, labels=LABELS)
    weighted = accuracy_score(answers.truth, answers.said, sample_weight=answers.weights)
    assert found.raw.value == pytest.approx(accuracy_score(answers.truth, answers.said))
    assert found.weighted is not None
    assert found.weighted.value == pytest.approx(weighted)
    assert [each.precision and each.precision.value for each in found.classes] == pytest.approx(precision.tolist())
    assert [each.recall and each.recall.value for each in found.classes] == pytest.approx(recall.tolist())
    table = confusion_matrix(answers.truth, answers.said, labels=LABELS).tolist()
    assert [list(row[:3]) for row in found.confusion] == table
    assert [row[3] for row in found.confusion] == [0, 0, 0]


def test_calibration_sees_a_score_that_promises_too_much() -> None:
    """Scores as good as they say have almost no error; the same ones raised by a fifth have a fifth."""
    random = np.random.default_rng(1)
    scores = random.uniform(0.0, 0.8, 50_000)
    right = random.uniform(size=50_000) < scores
    assert calibration_error(calibration(scores, right)) == pytest.approx(0.0, abs=0.01)
    assert calibration_error(calibration(scores + 0.2, right)) == pytest.approx(0.2, abs=0.01)
    assert calibration_error(calibration(np.full(3, np.nan), np.ones(3, dtype=bool))) is None


def test_the_hold_curve_trades_errors_for_review() -> None:
    """At 0 everything is let through; above every score everything is reviewed and no error is left to count."""
    scores, right = np.array([0.2, 0.6, 0.9, np.nan]), np.array([False, False, True, True])
    points = {point.threshold: point for point in hold_curve(scores, right)}
    assert (points[0.0].reviewed, points[0.5].reviewed, points[1.0].reviewed) == (0.25, 0.5, 1.0)
    error = points[0.5].error
    assert error is not None
    assert (error.value, error.n) == (0.5, 2)
    assert points[1.0].error is None
    assert hold_curve(np.full(2, np.nan), np.ones(2, dtype=bool)) == ()


def test_a_comparison_counts_fixes_and_breaks_overall_and_in_each_slice() -> None:
    """Item by item; a value that an item does not say is no slice."""
    champion = np.array([True, True, False, False, True])
    candidate = np.array([True, False, True, True, True])
    found = {each.what: each for each in compare(champion, candidate, {"shop": ["n", "n", "s", "s", ""]})}
    assert list(found) == ["overall", "shop=n", "shop=s"]
    assert [(each.fixes, each.breaks) for each in found.values()] == [(2, 1), (0, 1), (2, 0)]
    assert found["overall"].difference.value == pytest.approx(0.2)


def test_only_holds_and_audits_stand_for_traffic() -> None:
    """With the inverse of their probability; a disagreement stands for itself."""
    assert weights_of(["hold", "audit", "disagreement", "audit"], [1.0, 0.1, 0.5, None]).tolist() == [1, 10, 0, 0]
