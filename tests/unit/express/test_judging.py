"""Few outputs are read in Python and many in numpy, and both as the general way reads those of one request."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.answers import answers_of, scores_of
from gateway.express.judging import PlainJudge
from gateway.labels import LabelSchema
from gateway.policy import Policy
from gateway.registry.card import AnswerOutput, Card
from tests.plans import CLASSES, make_card

MANY = 40
"""So many rows are not few numbers any more."""
ANSWERS = {
    "the largest, its own number": {"takes": "argmax", "confidence": "y"},
    "the largest, the largest number": {"takes": "argmax", "confidence": "y", "confidence_is": "max"},
    "the largest, the last number": {"takes": "argmax", "confidence": "y", "confidence_is": "value"},
    "the largest, no score": {"takes": "argmax"},
    "from a number on": {"takes": "threshold", "threshold": 0.7, "confidence": "y"},
}
NUMBERS = st.sampled_from([0.0, -0.0, 0.7, 0.1, 1.0, -1.0, 65504.0, 1e-7])


def card(**answer: Any) -> Card:
    """A card whose answer is in `y`."""
    return make_card(answer=AnswerOutput(output="y", classes=CLASSES, **answer))


def judged(declared: Card, array: Any) -> tuple[Any, Any] | None:
    """The answers and scores of the express way."""
    judge = PlainJudge.of(declared, Policy())
    assert judge is not None
    found = judge.judge({}, {"y": array}, Policy())
    return None if found is None else (found.answers, found.scores)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@given(rows=st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=4), dtype=st.sampled_from("efd"))
def test_few_and_many_are_read_alike(answer: dict[str, Any], rows: list[list[float]], dtype: str) -> None:
    """Ties, zeros of both signs and numbers that lie on the threshold included."""
    declared = card(**answer)
    for array in (np.array(rows, dtype), np.array(rows * MANY, dtype), np.array(rows, dtype)[..., None]):
        answers = answers_of(declared, {"y": array}, len(array))
        assert judged(declared, array) == (answers, scores_of(declared, {"y": array}, answers))


@pytest.mark.parametrize("times", [1, MANY])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_is_not_finite_is_left_to_the_general_way(times: int, value: float, dtype: type[np.floating]) -> None:
    """One number among few or many; two infinities of different sign do not hide each other."""
    array = np.zeros((times, 3), dtype)
    array[-1, 0] = value
    assert judged(card(**ANSWERS["the largest, no score"]), array) is None
    array[0, 2] = -value
    assert judged(card(**ANSWERS["the largest, no score"]), array) is None


@pytest.mark.parametrize("times", [1, MANY])
def test_a_value_is_read_as_it_is(times: int) -> None:
    """One number a row is the answer; several are none."""
    declared = msgspec.structs.replace(card(), labels=LabelSchema(kind="number"))
    array = np.array([[0.25], [-3.0]] * times, np.float32)
    assert judged(declared, array) == (answers_of(declared, {"y": array}, len(array)), [None] * len(array))
    assert judged(declared, np.zeros((2 * times, 2), np.float32)) is None
    assert judged(declared, np.zeros((2 * times, 0), np.float32)) is None
