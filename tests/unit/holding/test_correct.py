"""Outcomes become tensors that do not contradict themselves."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.answers import answers_of
from gateway.holding.correct import NotExpressible, corrected, finite
from gateway.holding.payload import Answered
from gateway.ids import new_id
from gateway.labels import Choice, LabelSchema
from gateway.policy import Policy
from gateway.registry.card import About, AnswerOutput, Card, OutcomeTensor, Shown

CLASSES = ("cat", "dog", "eel")
LABELS = LabelSchema(kind="choice", choices=tuple(Choice(value=name) for name in (*CLASSES, "fox")))
LABEL = np.array(["cat", "dog", "eel"], dtype=object)
PROBABILITIES = np.array([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]], dtype=np.float32)
BY_LABEL = AnswerOutput(output="label", confidence="p", classes=CLASSES)
BY_ARGMAX = AnswerOutput(output="p", takes="argmax", confidence="p", classes=CLASSES)


def said(
    answer: AnswerOutput, outputs: dict[str, Any], *outcome: OutcomeTensor, items: int = 3, batch_axis: int | None = 0
) -> Answered:
    return Answered(
        prediction_id=new_id(),
        model="pets",
        version="1",
        release="pets@1",
        path="review",
        rule="below_threshold",
        flag_state=None,
        request_id=None,
        requested=(),
        items=items,
        held=dict.fromkeys(range(1, items + 1), "below_threshold"),
        answers=("cat",) * items,
        outputs=outputs,
        answer=answer,
        outcome=outcome,
        labels=LABELS,
        batch_axis=batch_axis,
        policy=Policy(),
        decided_us=0,
    )


def read_back(prediction: Answered, outputs: dict[str, Any]) -> list[Any]:
    """What the card reads from the outputs."""
    card = Card(
        about=About(owner="o", contact="c", intended_use="u", limitations="l"),
        batch_axis=prediction.batch_axis,  # type: ignore[arg-type]
        shown=(Shown(input="x", kind="json"),),
        answer=prediction.answer,
        labels=prediction.labels,
        guideline="g",
    )
    return answers_of(card, outputs, prediction.items)


def test_a_label_and_its_probabilities_agree() -> None:
    """By default the answer becomes the outcome and the confidence one-hot; other rows are the model's own."""
    outputs = corrected(said(BY_LABEL, {"label": LABEL, "p": PROBABILITIES}), {1: "eel"})
    assert outputs["label"].tolist() == ["eel", "dog", "eel"]
    assert outputs["p"][0].tolist() == [0, 0, 1]
    assert np.array_equal(outputs["p"][1:], PROBABILITIES[1:])
    assert outputs["p"].dtype == np.float32


def test_the_models_own_tensors_are_not_changed() -> None:
    """Correcting makes new tensors."""
    prediction = said(BY_LABEL, {"label": LABEL, "p": PROBABILITIES})
    corrected(prediction, {1: "eel"})
    assert LABEL.tolist() == ["cat", "dog", "eel"]
    assert PROBABILITIES[0, 0] == np.float32(0.5)


@given(st.sampled_from(CLASSES), st.integers(1, 3), st.sampled_from(["float16", "float32", "float64", "int64"]))
def test_an_argmax_over_a_correction_gives_it(answer: str, item: int, dtype: str) -> None:
    """Whatever the numbers were and whatever their type, the corrected row's largest is the correction."""
    prediction = said(BY_ARGMAX, {"p": (PROBABILITIES * 10).astype(dtype)})
    outputs = corrected(prediction, {item: answer})
    assert outputs["p"].dtype == np.dtype(dtype)
    assert read_back(prediction, outputs)[item - 1] == answer


@given(st.sampled_from(CLASSES[:2]), st.floats(-4, 4), st.sampled_from([(3,), (3, 1)]))
def test_a_threshold_reads_a_correction_back(answer: str, threshold: float, shape: tuple[int, ...]) -> None:
    """A margin or probability is put on the right side of any threshold."""
    declared = AnswerOutput(output="p", takes="threshold", threshold=threshold, classes=CLASSES[:2])
    prediction = said(declared, {"p": np.zeros(shape, dtype=np.float64)})
    assert read_back(prediction, corrected(prediction, {2: answer}))[1] == answer


def test_a_class_index_is_written_as_one() -> None:
    """An answer output of numbers gets the position of a class, and a number where the answer is one."""
    declared = AnswerOutput(output="label", classes=CLASSES)
    outputs = corrected(said(declared, {"label": np.array([0, 1, 2])}), {2: "eel"})
    assert outputs["label"].tolist() == [0, 2, 2]
    digits = replace(said(AnswerOutput(output="label"), {"label": np.array([0, 1, 2])}), outcome=())
    assert corrected(digits, {1: "7"})["label"].tolist() == [7, 1, 2]


def test_each_declared_way() -> None:
    """`[[outcome]]` decides for each output."""
    outputs = {name: np.array([0.5, 0.5, 0.5]) for name in ("index", "fixed", "own")}
    prediction = said(
        AnswerOutput(output="label", classes=CLASSES),
        {"label": LABEL, **outputs},
        OutcomeTensor(output="label", becomes="answer"),
        OutcomeTensor(output="index", becomes="class_index"),
        OutcomeTensor(output="fixed", becomes="constant", value=9.0),
        OutcomeTensor(output="own", becomes="keep"),
    )
    written = corrected(prediction, {3: "dog"})
    assert {name: tensor[2] for name, tensor in written.items()} == {"label": "dog", "index": 1, "fixed": 9, "own": 0.5}


def test_a_number_answers_a_regression() -> None:
    """A number goes into the answer output as it is; its scalar confidence is certain."""
    declared = AnswerOutput(output="y", confidence="sure", confidence_is="value")
    prediction = said(declared, {"y": np.array([1.0, 2.0, 3.0]), "sure": np.array([0.1, 0.2, 0.3])})
    outputs = corrected(prediction, {2: 7.25})
    assert outputs["y"].tolist() == [1.0, 7.25, 3.0]
    assert outputs["sure"].tolist() == [0.1, 1.0, 0.3]


def test_no_number_that_is_written_is_not_finite() -> None:
    """A held row full of NaN leaves without one, also where the model's own is kept."""
    nan = np.full((3, 3), np.nan, dtype=np.float32)
    outputs = corrected(said(BY_LABEL, {"label": LABEL, "p": nan, "other": nan}), {1: "cat", 2: "dog", 3: "eel"})
    assert finite(outputs)


def test_what_says_nothing_is_kept_where_the_card_allows_it() -> None:
    """Beside the answer, NaN stays NaN in a corrected row when the card calls it the model's own way."""
    declared = AnswerOutput(output="label", confidence="p", classes=CLASSES, not_finite="null")
    outputs = {"label": LABEL, "p": PROBABILITIES, "other": np.full((3, 3), np.nan)}
    written = corrected(said(declared, outputs), {1: "cat"})
    assert np.isnan(written["other"]).all()
    assert finite({"p": written["p"]})


def test_without_a_batch_axis_the_whole_tensor_is_the_item() -> None:
    """One item may have tensors of any shape; a tensor that belongs to several items is kept."""
    prediction = said(BY_ARGMAX, {"p": np.array([0.5, 0.3, 0.2])}, items=1, batch_axis=None)
    assert corrected(prediction, {1: "dog"})["p"].tolist() == [0, 1, 0]
    shared = said(BY_LABEL, {"label": LABEL, "p": PROBABILITIES, "scale": np.array(2.5)})
    assert corrected(shared, {1: "dog"})["scale"] == 2.5


CANNOT = [
    ("a class the argmax does not know", BY_ARGMAX, {"p": PROBABILITIES}, "fox"),
    ("a class without a position", AnswerOutput(output="y", classes=CLASSES), {"y": np.array([0, 1, 2])}, "fox"),
    ("a fraction in whole numbers", AnswerOutput(output="y"), {"y": np.array([0, 1, 2])}, 1.5),
    ("a number beyond the type", AnswerOutput(output="y"), {"y": np.array([0, 1, 2], dtype=np.int8)}, 1e9),
]


@pytest.mark.parametrize(("declared", "outputs", "answer"), [row[1:] for row in CANNOT], ids=[row[0] for row in CANNOT])
def test_what_the_outputs_cannot_carry_is_refused(declared: AnswerOutput, outputs: dict[str, Any], answer: Any) -> None:
    """Rather than an answer that contradicts the person, none is given; the caller is told as for unanswerable."""
    with pytest.raises(NotExpressible) as refused:
        corrected(said(declared, outputs), {1: answer})
    assert (refused.value.status, refused.value.code) == (422, "unanswerable")


def test_a_label_the_probabilities_do_not_know_leaves_them_empty() -> None:
    """Where the label itself carries the answer, no probability claims another class."""
    outputs = corrected(said(BY_LABEL, {"label": LABEL, "p": PROBABILITIES}), {1: "fox"})
    assert outputs["label"][0] == "fox"
    assert outputs["p"][0].tolist() == [0, 0, 0]
