"""Reads the outputs of several plain requests at once as answers and scores, as `gateway.answers` reads one's. Pure."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Self

import msgspec
import numpy as np

from gateway.answers import class_of, in_schema, score_at
from gateway.labels import Answer, LabelSchema
from gateway.policy import Policy
from gateway.protocol.datatypes import Tensor
from gateway.registry.card import Card

_REMEMBERED_MAX = 1024
_FEW = 64
"""Up to so many numbers Python's own lists are quicker than numpy's calls."""


Rows = dict[str, list[list[Any]]]
"""The elements of each item, by output."""


class Judged(msgspec.Struct, frozen=True, gc=False):
    """The items of one run, one after the other."""

    rows: Rows
    answers: list[Answer | None]
    scores: list[float | None]
    inside: list[bool] | None
    """Whether the inputs of each lie in the policy's envelope; None where none is declared."""


class PlainJudge:
    """Judges the outputs of one release, in the terms of another one's label schema where it runs beside that one."""

    def __init__(self, card: Card, within: LabelSchema | None = None) -> None:
        self._card = card
        self._within = within
        self._answer_of: dict[Any, Answer | None] = {}
        self._column_of = {name: index for index, name in reversed(list(enumerate(card.answer.classes)))}

    @classmethod
    def of(cls, card: Card, policy: Policy) -> Self | None:
        """The judge of a card; None where each item has to be looked at by itself."""
        return None if policy.field_rules else cls(card)

    def judge(self, feeds: Mapping[str, Tensor], outputs: Mapping[str, Tensor], policy: Policy) -> Judged | None:
        """The items of a run; None where a number is not finite, or an output is not of one row an item."""
        declared = self._card.answer
        rows: Rows = {}
        for name, array in outputs.items():
            if not array.ndim:
                return None
            found = rows[name] = (array if array.ndim == 2 else _rows(array)).tolist()
            few = array.size <= _FEW and array.dtype.kind == "f"
            if not (isfinite(sum(map(sum, found))) if few else all_finite(array)):
                return None
        answers = self._answers(outputs[declared.output], rows[declared.output])
        if answers is None:
            return None
        confidence = declared.confidence
        scores = self._scores(None if confidence is None else rows[confidence], answers)
        return Judged(rows, answers, scores, _inside(policy, feeds, len(answers)) if policy.envelope else None)

    def answers(self, outputs: Mapping[str, Tensor]) -> list[Answer | None] | None:
        """The answers of a run; None where an item's is not one value. What is not finite is left to the card."""
        array = outputs[self._card.answer.output]
        return self._answers(array, _rows(array).tolist(), finite=all_finite(array)) if array.ndim else None

    def _answers(self, array: Tensor, rows: list[list[Any]], *, finite: bool = True) -> list[Answer | None] | None:
        """The answer of each row; None where a row is not one value."""
        declared = self._card.answer
        if not rows[0]:
            return None
        if declared.takes == "argmax":
            few = finite and array.size <= _FEW
            found: list[Any] = [row.index(max(row)) for row in rows] if few else _rows(array).argmax(1).tolist()
        elif declared.takes == "threshold":
            found = [row[-1] >= declared.threshold for row in rows]
        elif len(rows[0]) == 1:
            found = [row[0] for row in rows]
        else:
            return None
        known = self._answer_of
        try:
            return [known[value] for value in found]
        except KeyError:
            return [self._answer(value) for value in found]

    def _answer(self, value: Any) -> Answer | None:
        """The answer that one value is, remembered: few values come again and again."""
        declared = self._card.answer
        meant = value if declared.takes == "value" else class_of(declared, int(value))
        answer = in_schema(self._card.labels, meant)
        if self._within is not None and answer is not None:
            answer = self._within.accepted(answer)
        if len(self._answer_of) >= _REMEMBERED_MAX:
            self._answer_of.clear()
        self._answer_of[value] = answer
        return answer

    def _scores(self, rows: list[list[Any]] | None, answers: list[Answer | None]) -> list[float | None]:
        """The score of each answer by the rows of what says how sure the model is, where something does."""
        declared = self._card.answer
        if rows is None or not rows[0]:
            return [None] * len(answers)
        if declared.confidence_is == "value":
            return [float(row[-1]) for row in rows]
        if declared.confidence_is == "max":
            return [float(max(row)) for row in rows]
        if len(rows[0]) != len(declared.classes):
            return self._scores_apart(rows, answers)
        try:
            columns: dict[Any, int] = self._column_of
            return [float(row[columns[answer]]) for row, answer in zip(rows, answers, strict=True)]
        except KeyError:  # an answer that is no class of the model
            return self._scores_apart(rows, answers)

    def _scores_apart(self, rows: list[list[Any]], answers: list[Answer | None]) -> list[float | None]:
        """The same where some answer has no column of its own."""
        columns, classes = self._column_of, len(self._card.answer.classes)
        return [
            score_at(row, columns[answer], classes) if answer in columns else float(max(row))
            for row, answer in zip(rows, answers, strict=True)
        ]


def _rows(array: Tensor) -> Any:
    """The tensor as a row an item."""
    return array if array.ndim == 2 else array.reshape(len(array), -1)


def all_finite(array: Tensor) -> bool:
    """Whether all numbers of a tensor are finite; in doubt, where few of them sum up to more than a number, not."""
    if array.dtype.kind != "f":
        return True
    if array.size <= _FEW:
        return isfinite(sum(array.ravel().tolist()))
    return bool(np.logical_and.reduce(np.isfinite(array), axis=None))


def _inside(policy: Policy, feeds: Mapping[str, Tensor], items: int) -> list[bool]:
    """For each item whether its inputs lie in the envelope."""
    inside = np.ones(items, bool)
    for name, envelope in policy.envelope.items():
        if name not in feeds or feeds[name].size == 0:
            continue
        rows = _rows(feeds[name])
        if envelope.minimum is not None:
            inside &= rows.min(1).astype(float) >= envelope.minimum
        if envelope.maximum is not None:
            inside &= rows.max(1).astype(float) <= envelope.maximum
    return [bool(each) for each in inside]
