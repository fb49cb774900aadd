"""Guesses for a card follow from what was seen."""

from typing import Any

import pytest

from gateway.inference.guess import guess
from gateway.inference.report import AdmissionReport, OutputFinding, Probe
from gateway.protocol.signature import Signature, TensorSpec

TEXT = TensorSpec(name="text", datatype="BYTES", shape=(-1,))
LABEL = (TensorSpec(name="label", datatype="BYTES", shape=(-1,)), "label")
PROBABILITIES = (TensorSpec(name="p", datatype="FP32", shape=(-1, 2)), "probabilities")
PROBABILITY = (TensorSpec(name="p", datatype="FP32", shape=(-1,)), "probability")
SCALAR = (TensorSpec(name="loss", datatype="FP32", shape=()), "values")


def report(*outputs: Any, inputs: tuple[TensorSpec, ...] = (TEXT,), labels: tuple[str, ...] = ()) -> AdmissionReport:
    """A report about a model with these outputs and inputs."""
    findings = tuple(
        OutputFinding(name=spec.name, meaning=meaning, finite=True, per_item=bool(spec.shape))
        for spec, meaning in outputs
    )
    return AdmissionReport(
        sha256="0" * 64,
        bytes=1,
        signature=Signature(inputs=inputs, outputs=tuple(spec for spec, _ in outputs)),
        opsets=(),
        ir_version=10,
        producer="",
        class_labels=labels,
        probe=Probe(outputs=findings),
        warnings=(),
    )


def test_labels_answer_and_probabilities_tell_how_sure() -> None:
    """The usual classifier: label, probabilities, and the class order that the graph holds."""
    guessed = guess(report(LABEL, PROBABILITIES, labels=("no", "yes")))
    assert (guessed.answer, guessed.confidence, guessed.confidence_meaning) == ("label", "p", "probabilities")
    assert guessed.classes == ("no", "yes")
    assert (guessed.batch_axis, guessed.shown) == (0, "text")


def test_probabilities_answer_where_there_is_no_label() -> None:
    """A network without a label output answers by its largest probability."""
    assert guess(report(PROBABILITIES)).answer == "p"


def test_labels_that_are_not_as_many_as_the_columns_are_not_guessed() -> None:
    """A class order that does not fit is worse than none."""
    assert guess(report(LABEL, PROBABILITIES, labels=("a", "b", "c"))).classes == ()
    assert guess(report(LABEL, PROBABILITY, labels=("a", "b"))).classes == ("a", "b")


def test_an_output_without_items_ends_the_batch_axis() -> None:
    """A model that answers one number for all rows has no batch axis, and that number is no confidence."""
    guessed = guess(report(SCALAR))
    assert (guessed.answer, guessed.confidence, guessed.batch_axis) == ("loss", None, None)


@pytest.mark.parametrize(
    ("shapes", "datatype", "shown"),
    [
        ([(-1,)], "BYTES", "text"),
        ([(-1, 3, 224, 224)], "FP32", "image"),
        ([(-1, 28, 28, 1)], "UINT8", "image"),
        ([(-1, 30)], "FP32", "table"),
        ([(-1, 1), (-1, 1)], "BYTES", "table"),
        ([(-1, 5, 7, 9)], "FP32", "json"),
    ],
)
def test_inputs_are_shown_as_what_they_look_like(shapes: list[tuple[int, ...]], datatype: Any, shown: str) -> None:
    """One text is text, pixels with channels are an image, columns are a table, the rest is JSON."""
    inputs = tuple(TensorSpec(name=f"x{i}", datatype=datatype, shape=shape) for i, shape in enumerate(shapes))
    assert guess(report(LABEL, inputs=inputs)).shown == shown
