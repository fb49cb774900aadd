"""Turns an outcome into output tensors, so that no answer contradicts itself. Pure.

| `becomes` | the rows of an answered item |
|---|---|
| `answer` | the outcome itself, or its position in `classes` where the output holds numbers |
| `one_hot` | 1 at its class and 0 elsewhere, along the last axis |
| `class_index` | its position in `classes` |
| `constant` | the declared value |
| `keep` | the model's own |

An output that no `[[outcome]]` declares becomes: the answer output what `takes` reads back as the outcome, the
confidence one-hot (or 1 where it is one number), everything else the model's own. Rows of other items are untouched,
and a number that is not finite becomes 0 in the rows that are written, unless the card allows it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gateway.errors import GatewayError
from gateway.holding.payload import Answered
from gateway.labels import Answer
from gateway.protocol.datatypes import Tensor
from gateway.registry.card import AnswerOutput, OutcomeTensor


class NotExpressible(GatewayError):
    """The answer '{answer}' is none that output '{output}' can carry."""

    status = 422
    code = "unanswerable"


def corrected(said: Answered, answers: Mapping[int, Answer]) -> dict[str, Tensor]:
    """The outputs with the rows of these items (from 1) replaced by what their answers become; inputs are not changed.

    Shapes and dtypes stay as the model gave them. Raises: NotExpressible.
    """
    if not answers:
        return dict(said.outputs)
    return {name: _output(said, name, tensor, answers) for name, tensor in said.outputs.items()}


def finite(outputs: Mapping[str, Tensor]) -> bool:
    """Whether every number in the outputs is finite."""
    return all(np.isfinite(tensor).all() for tensor in outputs.values() if tensor.dtype.kind == "f")


def _output(said: Answered, name: str, tensor: Tensor, answers: Mapping[int, Answer]) -> Tensor:
    rule = _rule(said, name)
    written = np.array(tensor)
    for item, answer in answers.items():
        where = _rows(said, written, item)
        if where is not None:
            written[where] = _row(said.answer, rule, written[where], answer)
    return written


def _rows(said: Answered, tensor: Tensor, item: int) -> Any:
    """The index of an item's part of a tensor; None where the tensor belongs to no single item."""
    if said.batch_axis is not None and tensor.ndim and tensor.shape[0] == said.items:
        return slice(item - 1, item)
    return ... if said.items == 1 else None


def _rule(said: Answered, name: str) -> OutcomeTensor:
    """What the output becomes: as declared, or the default."""
    declared = next((rule for rule in said.outcome if rule.output == name), None)
    if declared is not None:
        return declared
    answer = said.answer
    if name == answer.output:
        return OutcomeTensor(output=name, becomes="one_hot" if answer.takes != "value" else "answer")
    if name == answer.confidence:
        if answer.confidence_is == "value" or not answer.classes:
            return OutcomeTensor(output=name, becomes="constant", value=1.0)
        return OutcomeTensor(output=name, becomes="one_hot")
    return OutcomeTensor(output=name, becomes="keep")


def _row(declared: AnswerOutput, rule: OutcomeTensor, row: Tensor, answer: Answer) -> Tensor:
    """The new row, of the shape and dtype of the old one."""
    match rule.becomes:
        case "answer":
            return _filled(row, rule.output, _as_element(declared, rule.output, row, answer))
        case "one_hot":
            return _one_hot(declared, rule.output, row, answer)
        case "class_index":
            return _filled(row, rule.output, _class(declared, rule.output, answer))
        case "constant":
            return _filled(row, rule.output, rule.value)
        case "keep":
            return row if declared.not_finite == "null" else _finite(row)


def _as_element(declared: AnswerOutput, output: str, row: Tensor, answer: Answer) -> Answer:
    """The answer as an element of this dtype: a number that names a class stays it, another class is its position."""
    if row.dtype == object or not isinstance(answer, str):
        return _text(answer) if row.dtype == object else answer
    try:
        return float(answer)
    except ValueError:
        return _class(declared, output, answer)


def _filled(row: Tensor, output: str, value: Answer | None) -> Tensor:
    element: Answer | int | None = value
    if row.dtype.kind in "iu" and isinstance(value, float) and value.is_integer():
        element = int(value)  # numpy checks the range of a whole number only if it is an int
    elif row.dtype.kind in "iu" and isinstance(value, float):
        raise NotExpressible(answer=value, output=output)
    try:
        return np.full_like(row, element)
    except (TypeError, ValueError, OverflowError) as error:
        raise NotExpressible(answer=value, output=output) from error


def _one_hot(declared: AnswerOutput, output: str, row: Tensor, answer: Answer) -> Tensor:
    """1 at the class and 0 elsewhere; one number alone says how far the second class is reached."""
    position = _class_or_none(declared, answer)
    if row.ndim == 0 or row.shape[-1] != len(declared.classes):
        return _one_number(declared, output, row, answer)
    hot = np.zeros_like(row)
    if position is None and output == declared.output:
        raise NotExpressible(answer=answer, output=output)
    if position is not None:
        hot[..., position] = 1
    return hot


def _one_number(declared: AnswerOutput, output: str, row: Tensor, answer: Answer) -> Tensor:
    """The number that `takes = "threshold"` reads back as the answer; for a confidence, certainty."""
    if output != declared.output:
        return np.ones_like(row)
    position = _class(declared, output, answer)
    if declared.takes != "threshold" or position > 1:
        raise NotExpressible(answer=answer, output=output)
    return np.full_like(row, max(1.0, declared.threshold) if position else min(0.0, declared.threshold - 1.0))


def _class(declared: AnswerOutput, output: str, answer: Answer) -> int:
    position = _class_or_none(declared, answer)
    if position is None:
        raise NotExpressible(answer=answer, output=output)
    return position


def _class_or_none(declared: AnswerOutput, answer: Answer) -> int | None:
    return declared.classes.index(str(answer)) if answer in declared.classes else None


def _finite(row: Tensor) -> Tensor:
    return np.where(np.isfinite(row), row, row.dtype.type(0)) if row.dtype.kind == "f" else row


def _text(answer: Answer) -> str:
    return answer if isinstance(answer, str) else str(answer)
