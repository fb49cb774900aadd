"""What people said of a disagreement, and how a trial's figures are told."""

from typing import Any
from uuid import UUID

import pytest

from gateway.labels import LabelSchema
from review.release.evidence import TrialEvidence
from review.release.intervals import wilson
from review.release.progress import told
from review.release.tally import verdict_on
from review.store.tallies import AskedDifference
from tests.worlds import SENTIMENT

CHAMPION, CANDIDATE = UUID(int=1), UUID(int=2)
NUMBER = LabelSchema(kind="number", tolerance=1.0)


def asked(**more: Any) -> AskedDifference:
    """A settled disagreement: the champion said negative, the candidate positive."""
    values: dict[str, Any] = {
        "release_id": CHAMPION, "answer": "negative", "other": "positive", "schema": SENTIMENT, "state": "settled",
        "closed_reason": None, "status": "answered", "outcome": "positive", "choices": frozenset({"second"}),
    }  # fmt: skip
    return AskedDifference(**(values | more))


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (asked(), "win"),
        (asked(outcome="negative"), "loss"),
        (asked(release_id=CANDIDATE), "loss"),
        (asked(release_id=CANDIDATE, outcome="negative"), "win"),
        (asked(outcome="neutral"), "both_wrong"),
        (asked(outcome=None, status="unanswerable"), "both_wrong"),
        (asked(other=None, outcome="negative"), "loss"),
        (asked(other=None, outcome="neutral"), "both_wrong"),
        (asked(schema=NUMBER, answer=1.0, other=3.0, outcome=1.0, choices=frozenset({"both"})), "both_right"),
        (asked(schema=NUMBER, answer=1.0, other=3.0, outcome=2.0, choices=frozenset({"neither"})), "both_right"),
        (asked(schema=NUMBER, answer=1.0, other=3.0, outcome=1.0, choices=frozenset({"both", "first"})), "loss"),
        (asked(state="closed", closed_reason="cannot_tell", status=None, outcome=None), "cannot_tell"),
        (asked(state="closed", closed_reason="superseded", status=None, outcome=None), "nothing"),
        (asked(state="closed", closed_reason="erased"), "nothing"),
        (asked(state="open", status=None, outcome=None), "open"),
        (asked(state="expired", status=None, outcome=None), "open"),
    ],
)
def test_what_people_said_counts_once(one: AskedDifference, says: str) -> None:
    """Each row of the table, with either release answering."""
    assert verdict_on(one, CANDIDATE) == says


def evidence(wins: int, losses: int, **more: int) -> TrialEvidence:
    """A trial with these wins and losses."""
    counts = {"compared": 100, "disagreements": 20, "missing": 0, "both_right": 0, "both_wrong": 0, "cannot_tell": 0}
    return TrialEvidence(
        **(counts | {"open": 0} | more), wins=wins, losses=losses, win_share=wilson(wins, wins + losses)
    )


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (evidence(0, 0, compared=0, disagreements=0), "Nothing has been compared yet."),
        (evidence(0, 0), "People have not decided for either of the two yet."),
        (evidence(6, 4), "this may be chance, for the interval includes one half."),
        (evidence(19, 1), "more often than chance explains."),
        (evidence(1, 19), "less often than chance explains."),
        (evidence(1, 1), "80.0 % of 100 items (95 % interval 71.1 % to 86.7 %)"),
        (evidence(1, 1, open=1), "1 difference still with people."),
        (evidence(1, 1, missing=3), "3 shadow runs came to nothing or left no trace so far"),
    ],
)
def test_figures_are_told_with_what_they_mean(found: TrialEvidence, sentence: str) -> None:
    """Each figure has its sentence, and a difference that may be chance is called so."""
    assert sentence in " ".join(told(found))
