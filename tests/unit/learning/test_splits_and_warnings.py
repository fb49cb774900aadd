"""Which split an item is in, and what validation says: tables."""

import numpy as np
import pytest

from gateway.labels import Choice, LabelSchema
from gateway.protocol.datatypes import Tensor
from gateway.registry.card import Slice
from review.learning.splits import HELD_OUT, folded_digests, item_digests, item_rows, slice_values, split_of
from review.learning.validation import Columns, warnings_about
from tests.worlds import sha256

LABELS = LabelSchema(kind="choice", choices=(Choice(value="no"), Choice(value="yes")))


def test_the_split_holds_out_a_fifth_of_all_inputs() -> None:
    """Over 20,000 digests the share lies within four standard errors of a fifth."""
    held_out = sum(split_of(sha256(str(n))) == "held_out" for n in range(20_000))
    assert abs(held_out / 20_000 - HELD_OUT) < 4 * (HELD_OUT * (1 - HELD_OUT) / 20_000) ** 0.5


def test_equal_items_of_different_requests_have_one_digest() -> None:
    """Whatever stands beside an item in its request, its digest is its own; another type or shape is another input."""
    numbers: Tensor = np.array([[1, 2], [3, 4]], dtype=np.float32)
    texts: Tensor = np.array(["a  b", "A b"], dtype=object)
    both = item_digests({"x": numbers, "t": texts}, 2)
    assert item_digests({"x": numbers[1:], "t": texts[1:]}, 1) == both[1:]
    assert item_digests({"x": numbers[1:].astype(np.float64), "t": texts[1:]}, 1) != both[1:]
    assert len(set(folded_digests({"t": texts}, 2, both))) == 1
    assert folded_digests({"x": numbers}, 2, both) == both
    assert len(set(item_digests({"x": item_rows(numbers[0], 3, None)}, 3))) == 1


@pytest.mark.parametrize(
    ("declared", "value", "expected"),
    [
        (Slice(name="age", input="age", edges=(30.0, 50.0)), 29.5, "below 30"),
        (Slice(name="age", input="age", edges=(30.0, 50.0)), 30.0, "30 to 50"),
        (Slice(name="age", input="age", edges=(30.0, 50.0)), 50.0, "50 and up"),
        (Slice(name="age", input="age"), 7.0, "7"),
        (Slice(name="other", input="other"), 7.0, ""),
        (Slice(name="shop", parameter="shop"), 7.0, "north"),
        (Slice(name="shop", parameter="shop", edges=(1.0,)), 7.0, ""),
        (Slice(name="none", parameter="none"), 7.0, ""),
    ],
)
def test_a_slice_value_is_read_as_declared(declared: Slice, value: float, expected: str) -> None:
    """By an input or a parameter; a number falls into its range, whose lower edge belongs to it."""
    assert slice_values(declared, {"age": np.array([value])}, {"shop": "north"}, 1) == [expected]


def columns(*items: tuple[int, int, int, int, float, bool]) -> Columns:
    """Columns of items: input, folded input, answer, what the model said, its score, held out."""
    inputs, folded, answers, said, scores, held_out = zip(*items, strict=True)
    return Columns(
        name_of=lambda index: f"item {index}",
        inputs=np.array(inputs, dtype=np.uint64),
        folded=np.array(folded, dtype=np.uint64),
        answers=np.array(answers, dtype=np.int64),
        said=np.array(said, dtype=np.int64),
        scores=np.array(scores, dtype=np.float64),
        held_out=np.array(held_out, dtype=np.bool_),
    )


GOOD = [(n, n, n % 2, n % 2, 0.8, n < 3) for n in range(10)]


@pytest.mark.parametrize(
    ("items", "warned"),
    [
        ([], {}),
        ([(1, 1, 1, 1, 0.8, True)], {"duplicates": ["item 10"]}),
        ([(1, 1, 0, 0, 0.8, True)], {"duplicates": ["item 10"], "conflicting_outcomes": ["item 1", "item 10"]}),
        ([(20, 2, 0, 0, 0.8, False)], {"near_duplicates_across_splits": ["item 2"]}),
        ([(20, 20, 0, 1, 0.9, False)], {"suspect_labels": ["item 10"]}),
        ([(20, 20, 0, 1, 0.7, False)], {}),
        ([(20, 20, 0, 1, float("nan"), False)], {}),
    ],
)
def test_each_warning_names_its_items(
    items: list[tuple[int, int, int, int, float, bool]], warned: dict[str, list[str]]
) -> None:
    """Beside ten sound items: duplicates, conflicts, twins across the splits, and suspects."""
    found = warnings_about(columns(*GOOD, *items), LABELS, {"no": 5, "yes": 5})
    assert {each.name: list(each.examples) for each in found} == warned


@pytest.mark.parametrize(
    ("held_out", "classes", "warned"),
    [
        (False, {"no": 5, "yes": 5}, {"split_empty"}),
        (True, {"no": 5, "yes": 5}, {"split_empty"}),
        (None, {"no": 10}, {"class_missing"}),
        (None, {"no": 99, "yes": 1}, {"class_imbalance"}),
    ],
)
def test_a_lopsided_dataset_is_named(held_out: bool | None, classes: dict[str, int], warned: set[str]) -> None:
    """A split with nothing in it, a choice that nobody chose, a rare class."""
    items = [(*item[:5], item[5] if held_out is None else held_out) for item in GOOD]
    assert {each.name for each in warnings_about(columns(*items), LABELS, classes)} == warned
