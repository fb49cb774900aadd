"""What the outputs of a probe look like."""

import numpy as np
import pytest

from gateway.inference.findings import find_margin, find_meaning, is_finite, observed_spec, same_values
from gateway.inference.report import OutputFinding
from gateway.protocol.signature import TensorSpec

MEANINGS = [
    ("rows that sum to one", np.array([[0.2, 0.8], [0.5, 0.5]], np.float32), "probabilities"),
    ("half-precision rows that sum to one", np.array([[0.333, 0.333, 0.333]], np.float16), "probabilities"),
    ("several numbers in [0, 1]", np.array([[0.9, 0.8], [0.1, 0.0]], np.float32), "scores"),
    ("a map of probabilities", np.full((2, 3, 3), 1 / 3), "scores"),
    ("one number in [0, 1]", np.array([0.2, 0.9], np.float32), "probability"),
    ("one column in [0, 1]", np.array([[0.2], [0.9]], np.float32), "probability"),
    ("margins", np.array([[-1.2, 0.8]], np.float32), "values"),
    ("a regression", np.array([12.5, 3.0]), "values"),
    ("text", np.array(["a", "b"], object), "label"),
    ("whole numbers", np.array([1, 0]), "label"),
    ("a column of whole numbers", np.array([[1], [0]]), "label"),
    ("a matrix of whole numbers", np.array([[1, 2], [0, 4]]), "values"),
    ("truth values", np.array([True, False]), "values"),
    ("nothing", np.empty((0, 2), np.float32), "values"),
    ("one NaN among probabilities", np.array([np.nan, 0.5]), "probability"),
]


@pytest.mark.parametrize(("rows", "meaning"), [row[1:] for row in MEANINGS], ids=[row[0] for row in MEANINGS])
def test_outputs_are_told_apart_by_their_values(rows: np.ndarray, meaning: str) -> None:
    """Labels, probabilities, scores and other values are recognised whatever the output is called."""
    assert find_meaning(rows) == meaning


@pytest.mark.parametrize(
    ("name", "value", "margin"),
    [
        ("probabilities", -0.5, -0.5),
        ("output_probability", 1.5, 1.5),
        ("logits", -0.5, None),
        ("probabilities", 1, None),
    ],
)
def test_only_what_is_called_a_probability_must_be_one(name: str, value: float, margin: float | None) -> None:
    """A value outside [0, 1] is a margin where the name promises a probability, and fine elsewhere."""
    finding = OutputFinding(name=name, meaning="values", finite=True, per_item=True)
    assert find_margin(finding, np.array([[value, 0.2]])) == margin


def test_equal_answers_may_differ_by_rounding_only() -> None:
    """Numbers compare within rounding, NaN equals NaN, text compares exactly, other shapes never."""
    assert same_values(np.array([1.0, np.nan]), np.array([1.00001, np.nan]))
    assert not same_values(np.array([1.0]), np.array([1.1]))
    assert not same_values(np.array(["a"], object), np.array(["b"], object))
    assert not same_values(np.zeros((1, 2)), np.zeros((2, 1)))


def test_whole_numbers_are_always_finite() -> None:
    """Only floats can be NaN or infinite."""
    assert is_finite(np.array([1, 2]))
    assert not is_finite(np.array([np.inf], np.float16))


@pytest.mark.parametrize(
    ("declared", "alone", "together", "observed"),
    [
        ((-1, 3), (1, 3), (8, 3), (-1, 3)),
        ((-1, 7), (1, 3), (8, 3), (-1, 3)),
        ((), (1, 3), (8, 3), (-1, 3)),
        ((1, -1), (1, 3), (1, 3), (1, -1)),
        ((2, 2), (1, 2), (8, 2), (-1, 2)),
    ],
)
def test_the_observed_shape_outranks_the_declared(
    declared: tuple[int, ...], alone: tuple[int, ...], together: tuple[int, ...], observed: tuple[int, ...]
) -> None:
    """Sizes that vary are free, sizes that do not hold give way, free sizes stay free."""
    spec = TensorSpec(name="y", datatype="FP32", shape=declared)
    assert observed_spec(spec, np.zeros(alone), np.zeros(together)).shape == observed
