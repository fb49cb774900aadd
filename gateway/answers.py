"""Reads a model's outputs as answers: one answer and one score an item, as the card declares. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.labels import Answer, LabelSchema
from gateway.registry.card import AnswerOutput, Card

Tensors = Mapping[str, NDArray[np.generic]]


def answers_of(card: Card, outputs: Tensors, items: int) -> list[Answer | None]:
    """The model's answer for each item; None where it is no answer of the label schema.

    `outputs` are the model's tensors by name, with `items` rows along the batch axis (or none, for one item).
    """
    declared = card.answer
    rows = rows_of(outputs[declared.output], items, card.batch_axis)
    if declared.takes == "value":
        values = [_scalar(row) for row in rows]
    elif declared.takes == "argmax":
        values = [class_of(declared, int(np.argmax(row))) for row in rows]
    else:
        values = [class_of(declared, int(_number(row) >= declared.threshold)) for row in rows]
    return [in_schema(card.labels, value) for value in values]


def scores_of(card: Card, outputs: Tensors, answers: list[Answer | None]) -> list[float | None]:
    """The confidence of each answer, a float in the output's own unit; None where the card declares none."""
    declared = card.answer
    if declared.confidence is None:
        return [None] * len(answers)
    rows = rows_of(outputs[declared.confidence], len(answers), card.batch_axis)
    return [_score(declared, row, answer) for row, answer in zip(rows, answers, strict=True)]


def judged_outputs(declared: AnswerOutput, outputs: Tensors) -> Tensors:
    """The outputs whose numbers must be finite: all, or those of the answer where the card lets others say nothing."""
    if declared.not_finite == "refuse":
        return outputs
    return {name: tensor for name, tensor in outputs.items() if name in (declared.output, declared.confidence)}


def finite_items(outputs: Tensors, items: int, batch_axis: int | None) -> list[bool]:
    """For each item whether all its numbers are finite, over all outputs."""
    finite = np.ones(items, dtype=bool)
    for array in outputs.values():
        if array.dtype.kind != "f":
            continue
        sound = np.isfinite(array)
        if batch_axis is None or array.ndim == 0 or array.shape[0] != items:
            finite &= bool(sound.all())
        else:
            finite &= sound.all(axis=tuple(range(1, sound.ndim)))
    return [bool(sound) for sound in finite]


def rows_of(array: NDArray[np.generic], items: int, batch_axis: int | None) -> list[NDArray[np.generic]]:
    """The part of a tensor that belongs to each item; a tensor without the batch axis belongs to every item."""
    if batch_axis is None or array.ndim == 0 or array.shape[0] != items:
        return [array] * items
    return [array[index] for index in range(items)]


def _score(declared: AnswerOutput, row: NDArray[np.generic], answer: Answer | None) -> float | None:
    numbers = np.ravel(row)
    if numbers.size == 0:
        return None
    if declared.confidence_is == "value":
        return float(_number(row))
    if declared.confidence_is == "of_answer" and answer in declared.classes:
        return score_at(numbers.tolist(), declared.classes.index(str(answer)), len(declared.classes))
    return float(np.max(numbers))


def score_at(numbers: Sequence[float], index: int, classes: int) -> float | None:
    """The number of the class at a position; one number for two classes is the probability of the second one."""
    if len(numbers) == 1 and classes == 2:
        second = float(numbers[0])
        return second if index else 1.0 - second
    return float(numbers[index]) if index < len(numbers) else None


def class_of(declared: AnswerOutput, index: int) -> str | None:
    """The class at a position; None where there is none."""
    return declared.classes[index] if index < len(declared.classes) else None


def _number(row: NDArray[np.generic]) -> float:
    return float(np.ravel(row)[-1])


def _scalar(row: NDArray[np.generic]) -> object:
    """The one element of an item, or the whole row where there are several."""
    values = np.ravel(row).tolist()
    return values[0] if len(values) == 1 else values


def in_schema(labels: LabelSchema, value: object) -> Answer | None:
    """The value as an answer of the schema, None where it is none; a number that names a choice becomes that choice."""
    candidate = str(value) if labels.kind == "choice" and not isinstance(value, str) else value
    if isinstance(candidate, bytes):
        candidate = candidate.decode("utf-8", "replace")
    return labels.accepted(candidate)
