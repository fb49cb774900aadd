"""Whether a card fits its model file: one row for each contradiction."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from gateway.answers import answers_of, scores_of
from gateway.inference.report import AdmissionReport, Probe
from gateway.policy import Envelope, FieldRule, Policy
from gateway.protocol.signature import Signature, TensorSpec
from gateway.registry.card import AnswerOutput, Card, OutcomeTensor, Shown, Slice
from gateway.registry.fitting import faults
from tests.plans import make_card

REPORT = AdmissionReport(
    sha256="0" * 64,
    bytes=1,
    signature=Signature(
        inputs=(
            TensorSpec(name="text", datatype="BYTES", shape=(-1,)),
            TensorSpec(name="age", datatype="FP32", shape=(-1,)),
        ),
        outputs=(
            TensorSpec(name="label", datatype="BYTES", shape=(-1,)),
            TensorSpec(name="probabilities", datatype="FP32", shape=(-1, 3)),
        ),
    ),
    opsets=(),
    ir_version=10,
    producer="",
    class_labels=(),
    probe=Probe(batching="independent"),
    warnings=(),
)


def policy(**numbers: object) -> Card:
    """The card with this policy."""
    return make_card(policy=Policy(**numbers))  # type: ignore[arg-type]


def answer(**changes: object) -> Card:
    """The card with another answer."""
    declared = {"output": "label", "confidence": "probabilities", "classes": ("negative", "neutral", "positive")}
    return make_card(answer=AnswerOutput(**(declared | changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("card", "told"),
    [
        (lambda: make_card(shown=(Shown(input="txt", kind="text"),)), "shown.input 'txt' is no input"),
        (lambda: make_card(shown=(Shown(input="text", kind="text", beside=True),)), "cannot be beside = true"),
        (lambda: make_card(slices=(Slice(name="x", input="income"),)), "slices 'x' reads the input 'income'"),
        (lambda: answer(output="lable"), "answer.output 'lable' is no output"),
        (lambda: answer(confidence="p"), "answer.confidence 'p' is no output"),
        (lambda: answer(confidence="label"), "holds BYTES, and a confidence is a number"),
        (lambda: make_card(outcome=(OutcomeTensor(output="o", becomes="answer"),)), "outcome.output 'o' is no output"),
        (lambda: policy(envelope={"years": Envelope(maximum=3)}), "policy.envelope names 'years', which is no input"),
        (lambda: policy(envelope={"text": Envelope(maximum=3)}), "holds BYTES and has no range"),
        (lambda: policy(field_rules=(FieldRule(name="r", input="y", op="<", value=1),)), "field_rules 'r' reads 'y'"),
        (lambda: policy(hold_below_by_class={"ugly": 0.5}), "hold_below_by_class names 'ugly'"),
        (lambda: answer(classes=("negative", "neutral")), "lists 2 classes, and output 'probabilities' has 3 columns"),
        (lambda: answer(classes=()), "answer.classes is missing"),
        (
            lambda: msgspec.structs.replace(answer(confidence=None, classes=()), policy=Policy(hold_below=0.5)),
            "policy.hold_below needs answer.confidence",
        ),
    ],
)
def test_each_contradiction_is_told(card: Callable[[], Card], told: str) -> None:
    """What the card says and the file does not have is told in one sentence, and nothing else is."""
    found = list(faults(card(), REPORT))
    assert len(found) == 1, found
    assert told in found[0]


def test_a_card_that_fits_has_no_fault() -> None:
    """Inputs that are sent beside the tensors need not be in the file."""
    shown = (Shown(input="text", kind="text"), Shown(input="picture", kind="image", beside=True))
    assert list(faults(make_card(shown=shown, slices=(Slice(name="s", input="picture"),)), REPORT)) == []


def test_a_model_that_mixes_rows_has_no_batch_axis() -> None:
    """Where an item's answer depends on its neighbours, items cannot be told one by one."""
    mixed = msgspec.structs.replace(REPORT, probe=Probe(batching="mixed"))
    assert "mixes rows" in next(faults(make_card(), mixed))
    assert list(faults(make_card(batch_axis=None), mixed)) == []


def test_one_probability_tells_two_classes_apart() -> None:
    """A single column with two classes is the probability of the second one."""
    outputs = (TensorSpec(name="score", datatype="FP32", shape=(-1, 1)),)
    signature = msgspec.structs.replace(REPORT.signature, outputs=outputs)
    declared = AnswerOutput(output="score", takes="threshold", confidence="score", classes=("negative", "positive"))
    card = make_card(answer=declared, outcome=())
    assert list(faults(card, msgspec.structs.replace(REPORT, signature=signature))) == []


def test_a_single_probability_is_the_score_of_either_answer() -> None:
    """0.9 for the second class is 0.9 sure of it, and 0.2 is 0.8 sure of the first."""
    declared = AnswerOutput(output="score", takes="threshold", confidence="score", classes=("negative", "positive"))
    card = make_card(answer=declared, outcome=())
    outputs = {"score": np.array([[0.9], [0.2]])}
    told = answers_of(card, outputs, 2)
    assert told == ["positive", "negative"]
    assert scores_of(card, outputs, told) == pytest.approx([0.9, 0.8])
