"""Several items are judged at once as each is by itself."""

from typing import Any

import msgspec
import numpy as np
import pytest

from gateway.answers import answers_of
from gateway.compare import answers_within
from gateway.express.judging import PlainJudge
from gateway.labels import Choice, LabelSchema
from gateway.registry.card import AnswerOutput
from tests.plans import make_card

NUMBERS = np.array([[0.1, 0.7], [0.9, 0.2], [0.5, 0.5], [0.3, 0.6999999]], np.float32)
LETTERS = LabelSchema(kind="choice", choices=(Choice(value="a"), Choice(value="b")))
TAKEN: dict[str, dict[str, Any]] = {
    "the largest": {"takes": "argmax", "classes": ("a", "b")},
    "a class the schema lacks": {"takes": "argmax", "classes": ("a", "c")},
    "at a threshold that is no number of its datatype": {"takes": "threshold", "threshold": 0.7, "classes": ("a", "b")},
}


@pytest.mark.parametrize("taken", TAKEN.values(), ids=TAKEN)
def test_answers_are_those_of_each_item(taken: dict[str, Any]) -> None:
    """Also in the terms of another schema, which has no word for some."""
    card = msgspec.structs.replace(make_card(), answer=AnswerOutput(output="y", **taken), labels=LETTERS, batch_axis=0)
    outputs, items = {"y": NUMBERS}, len(NUMBERS)
    assert PlainJudge(card).answers(outputs) == answers_of(card, outputs, items)
    within = LabelSchema(kind="choice", choices=(Choice(value="b"),))
    assert PlainJudge(card, within).answers(outputs) == answers_within(within, card, outputs, items)


def test_what_is_not_finite_is_answered_as_by_itself() -> None:
    """Beside an answer nobody holds it for that; the largest is then what is no number."""
    card = msgspec.structs.replace(
        make_card(), answer=AnswerOutput(output="y", takes="argmax", classes=("a", "b")), labels=LETTERS, batch_axis=0
    )
    outputs = {"y": np.array([[1.0, np.nan], [np.inf, 1.0]], np.float32)}
    assert PlainJudge(card).answers(outputs) == answers_of(card, outputs, 2) == ["b", "a"]
