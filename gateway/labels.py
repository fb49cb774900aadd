"""Label schemas: what people may answer about an item, and when two answers differ. Pure."""

import math
from typing import Annotated, Literal

import msgspec

from gateway.errors import BadRequest

Answer = str | float
"""A choice's value, a number, or a text."""


class AnswerRefused(BadRequest):
    """'{answer}' is not an answer here: expected {expected}."""

    code = "answer-refused"


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the answers of a `choice` schema; `key` is the key that a reviewer presses."""

    value: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    title: str = ""
    key: Annotated[str, msgspec.Meta(max_length=1)] = ""
    help: str = ""

    @property
    def shown(self) -> str:
        """The title, or the value where there is none."""
        return self.title or self.value


class LabelSchema(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people may answer: one of `choices`, a number within bounds, or a text."""

    kind: Literal["choice", "number", "text"]
    choices: tuple[Choice, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Two numbers differ when they are further apart than this."""
    max_length: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 2_000
    ignore_case: bool = False
    reasons: tuple[str, ...] = ()
    """Reason codes of this model, beside the ones every model has: its categories of errors."""
    owners: dict[str, Annotated[str, msgspec.Meta(min_length=1, max_length=200)]] = {}
    """Who owns the errors of a category."""

    @property
    def unowned(self) -> tuple[str, ...]:
        """The categories of errors that nobody owns."""
        return tuple(reason for reason in self.reasons if not self.owners.get(reason, "").strip())

    def validated(self, answer: object) -> Answer:
        """The answer in its own type. Raises: AnswerRefused."""
        match self.kind:
            case "choice":
                return self._choice(answer)
            case "number":
                return self._number(answer)
            case "text":
                return self._text(answer)

    def accepted(self, answer: object) -> Answer | None:
        """The answer in its own type, or None where it is none of this schema."""
        try:
            return self.validated(answer)
        except AnswerRefused:
            return None

    def _choice(self, answer: object) -> Answer:
        values = [choice.value for choice in self.choices]
        if isinstance(answer, str) and answer in values:
            return answer
        raise AnswerRefused(answer=str(answer)[:80], expected=f"one of {', '.join(values)}")

    def _number(self, answer: object) -> Answer:
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        if isinstance(answer, int | float) and not isinstance(answer, bool) and low <= answer <= high:
            return float(answer)
        raise AnswerRefused(answer=str(answer)[:80], expected=f"a number from {low:g} to {high:g}")

    def _text(self, answer: object) -> Answer:
        if isinstance(answer, str) and 0 < len(answer) <= self.max_length:
            return answer
        raise AnswerRefused(answer=str(answer)[:80], expected=f"a text of 1 to {self.max_length} characters")

    def differs(self, one: Answer | None, other: Answer | None) -> bool:
        """Whether two answers differ as this schema defines it; no answer differs from every answer."""
        if one is None or other is None:
            return one is not other
        if isinstance(one, str) or isinstance(other, str):
            return self._folded(one) != self._folded(other)
        if math.isnan(one) or math.isnan(other):
            return not (math.isnan(one) and math.isnan(other))
        return abs(one - other) > self.tolerance

    def _folded(self, answer: Answer) -> str:
        text = str(answer)
        return text.strip().casefold() if self.ignore_case else text
