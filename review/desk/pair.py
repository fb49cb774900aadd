"""The two unnamed answers of a disagreement: their order, and what choosing among them amounts to. Pure.

| posted                         | recorded                              | answer                         |
|--------------------------------|---------------------------------------|--------------------------------|
| first, second                  | approve or correct, whoever said it   | that one                       |
| both, of numbers and texts     | approve                               | the answering release's        |
| neither, with the right answer | correct                               | the one given, unlike both     |
| approve, correct               | refused: they would name a release    |                                |
| unanswerable, cannot_tell, …   | the same                              | none                           |

The order is random and the same for everybody who sees the case: it is the last bit of the case's draw, which decided
nothing else and is shown to nobody. Only one choice of a `choice` schema can be right, so `both` is refused there.
"""

from collections.abc import Mapping
from typing import Literal, get_args
from uuid import UUID

import msgspec

from gateway.labels import Answer, LabelSchema
from gateway.trial import OTHER
from review.desk.life import VerdictKind
from review.errors import VerdictRefused

Choice = Literal["first", "second", "both", "neither"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
_DRAW_BITS = 53


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two answers to one item in the order in which they are shown, and whose they are."""

    answers: tuple[Answer | None, Answer | None]
    releases: tuple[UUID, UUID]
    own: Literal[0, 1]
    """Which of them the caller was answered with."""


def pair_of(
    release_id: UUID, other_id: UUID | None, answer: Answer | None, evidence: Mapping[str, Answer], draw: float | None
) -> Pair | None:
    """The two answers of a case in their order; None for a case that has one answer."""
    if other_id is None:
        return None
    other = evidence.get(OTHER)
    if int((draw or 0.0) * 2**_DRAW_BITS) % 2:
        return Pair(answers=(other, answer), releases=(other_id, release_id), own=1)
    return Pair(answers=(answer, other), releases=(release_id, other_id), own=0)


def chosen(
    kind: VerdictKind | Choice, given: Answer | None, pair: Pair, schema: LabelSchema
) -> tuple[VerdictKind, Answer | None]:
    """The verdict and the answer that a judgement of two answers amounts to. Raises: VerdictRefused, AnswerRefused."""
    match kind:
        case "first" | "second":
            return _one(pair, 0 if kind == "first" else 1)
        case "both":
            return "approve", _both(pair, schema)
        case "neither":
            return "correct", _neither(given, pair, schema)
        case "approve" | "correct":
            raise VerdictRefused(fault="this case shows two answers: say 'first', 'second', 'both' or 'neither'.")
        case _:
            return kind, None


def _one(pair: Pair, index: Literal[0, 1]) -> tuple[VerdictKind, Answer]:
    answer = pair.answers[index]
    if answer is None:
        raise VerdictRefused(fault="there is no answer on that side that could be right.")
    return ("approve" if index == pair.own else "correct"), answer


def _both(pair: Pair, schema: LabelSchema) -> Answer:
    answer = pair.answers[pair.own]
    if schema.kind == "choice" or answer is None or None in pair.answers:
        raise VerdictRefused(fault="both cannot be right here: say which one is, or 'neither'.")
    return answer


def _neither(given: Answer | None, pair: Pair, schema: LabelSchema) -> Answer:
    if given is None:
        raise VerdictRefused(fault="'neither' needs the right answer in 'answer'; if none is right, 'unanswerable'.")
    answer = schema.validated(given)
    for name, shown in zip(CHOICES, pair.answers, strict=False):
        if not schema.differs(answer, shown):
            raise VerdictRefused(fault=f"that is the {name} answer: say '{name}'.")
    return answer
