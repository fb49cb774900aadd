"""What is noteworthy about the outcomes of a dataset, before it is written. Pure.

| warning | when |
|---|---|
| `duplicates` | an input occurs more than once |
| `conflicting_outcomes` | equal inputs have different answers |
| `near_duplicates_across_splits` | texts that differ only in case and blanks are in both splits |
| `class_missing` | a choice of the label schema was never the answer |
| `class_imbalance` | a class has less than 5 % of the items |
| `split_empty` | nothing is held out, or nothing is left to learn from |
| `suspect_labels` | the model was surer of another answer than it usually is when that answer is right |
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.labels import LabelSchema
from review.learning.manifest import Warned

EXAMPLES = 20
RARE = 0.05
Flags = NDArray[np.bool_]


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a dataset that validation looks at, one element an item."""

    name_of: Callable[[int], str]
    """How the item at an index is called in an example."""
    inputs: NDArray[np.uint64]
    """The head of the input's digest."""
    folded: NDArray[np.uint64]
    """The same under which texts that differ only in case and blanks are equal."""
    answers: NDArray[np.int64]
    """A number for each answer; equal answers have equal numbers."""
    said: NDArray[np.int64]
    """The same for what the model said; -1 where it said nothing of the schema."""
    scores: NDArray[np.float64]
    """The model's score, NaN where it has none."""
    held_out: Flags


def warnings_about(columns: Columns, labels: LabelSchema, classes: Mapping[str, int]) -> tuple[Warned, ...]:
    """Every warning about these items, in the order of the table."""
    return (
        *_repeated(columns),
        *_across_splits(columns),
        *_balance(labels, classes),
        *_splits(columns.held_out),
        *_suspects(columns, labels),
    )


def _repeated(columns: Columns) -> Iterator[Warned]:
    by_input = np.argsort(columns.inputs, kind="stable")
    again = by_input[1:][columns.inputs[by_input][1:] == columns.inputs[by_input][:-1]]
    if again.size:
        says = "Equal inputs occur more than once; they are all in the same split."
        yield _warned("duplicates", again, says, columns)
    order = np.lexsort((columns.answers, columns.inputs))
    same = columns.inputs[order][1:] == columns.inputs[order][:-1]
    differs = same & (columns.answers[order][1:] != columns.answers[order][:-1])
    torn = np.flatnonzero(np.isin(columns.inputs, columns.inputs[order[1:][differs]]))
    if torn.size:
        says = "Equal inputs were answered differently; no model can be right about all of them."
        yield _warned("conflicting_outcomes", torn, says, columns)


def _across_splits(columns: Columns) -> Iterator[Warned]:
    both = np.intersect1d(columns.folded[columns.held_out], columns.folded[~columns.held_out])
    leaking = np.flatnonzero(np.isin(columns.folded, both) & columns.held_out)
    if leaking.size:
        says = "Held-out texts have a twin in the training split that differs only in case and blanks."
        yield _warned("near_duplicates_across_splits", leaking, says, columns)


def _balance(labels: LabelSchema, classes: Mapping[str, int]) -> Iterator[Warned]:
    missing = [choice.value for choice in labels.choices if choice.value not in classes]
    if missing:
        says = f"Never the answer: {', '.join(missing)}."
        yield Warned(name="class_missing", count=len(missing), says=says)
    total = sum(classes.values())
    rare = [name for name, count in sorted(classes.items()) if count < RARE * total]
    if rare:
        says = f"Each with less than {RARE:.0%} of the items: {', '.join(rare)}."
        yield Warned(name="class_imbalance", count=len(rare), says=says)


def _splits(held_out: Flags) -> Iterator[Warned]:
    if not held_out.any():
        yield Warned(name="split_empty", count=1, says="Nothing is held out, so nothing can be evaluated.")
    elif held_out.all():
        yield Warned(name="split_empty", count=1, says="Everything is held out, so nothing can be learned.")


def _suspects(columns: Columns, labels: LabelSchema) -> Iterator[Warned]:
    """Confident learning, on the one score that is kept of an item.

    Source: Northcutt, Jiang and Chuang, "Confident learning", JAIR 70 (2021), section 3.1: the threshold of a class is
    the mean score of the items that have it, and an item beyond another class's threshold is off the diagonal.
    """
    if labels.kind != "choice":
        return
    scored = ~np.isnan(columns.scores) & (columns.said >= 0)
    suspect = np.zeros(len(columns.answers), dtype=bool)
    for said in np.unique(columns.said[scored]):
        answered = scored & (columns.said == said)
        right = answered & (columns.answers == said)
        if right.any():
            suspect |= answered & ~right & (columns.scores >= columns.scores[right].mean())
    found = np.flatnonzero(suspect)
    if found.size:
        says = "People gave another answer although the model was surer than it is, on average, where it is right."
        yield _warned("suspect_labels", found, says, columns)


def _warned(name: str, items: NDArray[np.intp], says: str, columns: Columns) -> Warned:
    examples = tuple(columns.name_of(int(index)) for index in np.sort(items)[:EXAMPLES])
    return Warned(name=name, count=int(items.size), says=says, examples=examples)


def count(values: Sequence[str]) -> dict[str, int]:
    """How often each value occurs, by value."""
    return dict(sorted(Counter(values).items()))
