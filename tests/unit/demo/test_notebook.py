"""What a play comes to, counted by hand, and which holds told the truth."""

from typing import Any

import pytest

from demo.items import Item
from demo.play.callers import Told
from demo.play.notebook import Judgement, Notebook, errors, figures
from demo.play.proof import is_true
from demo.play.screen import Screen
from demo.play.words import status

AUTOMATED = {"path": "automated", "rule": "automated", "review_status": "automated"}
HELD = {"path": "review", "rule": "low_confidence"}


def told(key: str, truth: str, **more: Any) -> Told:
    """What the caller of an item was told."""
    model = more.pop("model", "sentiment")
    item = Item(model=model, key=key, inputs=(), truth=truth)
    return Told(**{"item": item, "status": 200, "arrived_us": 0, "prediction_id": key, **more})


TOLD = [
    told("a", "negative", answer="negative", **AUTOMATED),
    told("b", "positive", answer="negative", **AUTOMATED),  # the model is sure, and wrong
    told("c", "positive", answer="positive", review_status="corrected", **HELD),
    told("d", "neutral", answer="positive", review_status="corrected", **HELD),  # the person is wrong
    told("e", "refuse", status=202, model="loans", **HELD),  # nobody has judged yet
]
ALONE = {"a": "negative", "b": "negative", "c": "negative", "d": "neutral", "e": "approve"}
JUDGED = [
    Judgement(verdict_id=key, prediction_id=key, case_kind="hold", kind="correct", answer="positive", settled=True)
    for key in ("c", "d")
]


def notebook() -> Notebook:
    """A play of five requests."""
    written = Notebook()
    written.sent, written.told, written.judged = 7, list(TOLD), list(JUDGED)
    return written


def test_errors_are_counted_on_the_items_whose_callers_have_an_answer() -> None:
    """Both ways of answering are measured on the same items, and what still waits is in neither."""
    counted = errors(TOLD, ALONE)
    assert (counted.automated_alone.count, counted.automated_alone.of) == (2, 4)
    assert (counted.with_review.count, counted.with_review.of) == (2, 4)


def test_the_figures_add_up() -> None:
    """Requests by path, holds, verdicts and failures are the notebook's."""
    result = figures(notebook(), ALONE, [10.0, 30.0], holds_true=3, seconds=1.0)
    assert (result.requests, result.by_path, result.holds) == (5, {"automated": 2, "review": 3}, 3)
    assert (result.verdicts, result.outcomes, result.failed_requests, result.holds_true) == (2, 2, 0, 3)
    assert (result.verdict_to_answer_ms_p50, result.verdict_to_answer_ms_p99) == (10.0, 30.0)
    assert result.by_model["loans"].with_people_still == 1
    assert result.share_reviewed.value == 0.6


@pytest.mark.parametrize(
    ("status", "failed"),
    [(200, False), (202, False), (422, False), (503, True), (500, True), (401, True), (0, True)],
)
def test_a_caller_is_failed_who_has_neither_an_answer_nor_an_address(status: int, failed: bool) -> None:
    """A hold, and a person's word that no answer is right, are no failures."""
    assert told("x", "positive", status=status).failed is failed


@pytest.mark.parametrize(
    ("decided", "status", "at_url", "said", "review_status", "true"),
    [
        ("positive", 200, "positive", "positive", "corrected", True),
        ("positive", 200, "positive", None, "held", True),  # the caller asked not to wait, and may look it up
        ("positive", 200, "negative", "positive", "corrected", False),  # the URL tells something else
        ("positive", 200, "positive", "negative", "approved", False),  # the caller was told something else
        ("positive", 202, None, None, "held", False),  # decided, and still told to wait
        (None, 202, None, None, "held", True),  # nobody has decided
        (None, 202, None, "7", "provisional", True),  # the caller has a provisional answer meanwhile
        (None, 200, "positive", "positive", "corrected", False),  # an outcome from nowhere
    ],
)
def test_a_hold_is_true_where_caller_and_url_say_what_was_decided(
    decided: str | None, status: int, at_url: str | None, said: str | None, review_status: str, true: bool
) -> None:
    """Nothing else counts as true."""
    one = told("x", "positive", answer=said, review_status=review_status)
    assert is_true(one, status, at_url, decided) is true


def test_the_line_of_status_fits_a_terminal() -> None:
    """Eighty columns hold it, with four-digit counts."""
    written = notebook()
    written.told = TOLD * 400
    written.sent = len(written.told) + 15
    assert status(notebook(), on=True) == "5 answers: 2 by models, 2 by people (2 corrected), 2 wait, flag on"
    assert len(status(written, on=False)) <= 80 - len("  ") - 1


def test_without_a_terminal_nothing_is_written_anew(capsys: pytest.CaptureFixture[str]) -> None:
    """A file holds each step once, and no escape sequences."""
    screen = Screen()
    with screen.step("making", "made"):
        pass
    screen.news("5 answered")
    screen.news("6 answered")
    printed = capsys.readouterr().out
    assert printed.split() == ["✓", "made", "0.0", "s", "5", "answered"]
    assert "\033" not in printed
