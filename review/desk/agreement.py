"""When the verdicts of a round agree. Pure.

Two ballots are equal when both say that no answer is right, or when the label schema says that their answers do not
differ. `cannot_tell` is no ballot; `escalate` never comes here. With `k` people a round of whom `n` have spoken:

| rule      | decided                        | conflict                              | else |
|-----------|--------------------------------|---------------------------------------|------|
| single    | one ballot                     | never                                 | more |
| majority  | `required` equal ballots       | none can still reach `required` by k  | more |
| unanimous | k equal ballots                | two ballots differ                    | more |

A rule whose slots are used up without a decision is in conflict too: nobody is left who could decide.
"""

from collections.abc import Callable, Sequence
from typing import Literal
from uuid import UUID

import msgspec

from gateway.labels import Answer

Differs = Callable[[Answer | None, Answer | None], bool]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """How many people may judge a case in one round, and how many equal verdicts decide it."""

    agreement: Literal["single", "majority", "unanimous"]
    k: int = 1
    required: int = 1

    @property
    def slots(self) -> int:
        """How many ballots a round has room for."""
        return 1 if self.agreement == "single" else self.k

    @property
    def needed(self) -> int:
        """How many equal ballots decide."""
        return {"single": 1, "majority": self.required, "unanimous": self.k}[self.agreement]


class Ballot(msgspec.Struct, frozen=True, kw_only=True):
    """What one verdict says about the item: an answer, or None when no answer is right."""

    verdict_id: UUID
    answer: Answer | None


class More(msgspec.Struct, frozen=True, kw_only=True):
    """Undecided: another person is needed."""


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """Enough ballots are equal."""

    answer: Answer | None
    status: Literal["answered", "unanswerable"]
    verdicts: tuple[UUID, ...]
    """The verdicts that the decision rests on, in the order in which they were given."""


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """No slot that is left could still decide it."""


Agreement = More | Decided | Conflict


def agree(rule: Rule, ballots: Sequence[Ballot], differs: Differs) -> Agreement:
    """What the ballots of a round, in the order in which they were given, come to."""
    groups = [_equal_to(ballot, ballots, differs) for ballot in ballots]
    size = max(map(len, groups), default=0)
    if size >= rule.needed:
        winner = next(i for i, group in enumerate(groups) if len(group) == size)  # the earliest wins a tie
        return _decided(ballots[winner].answer, groups[winner])
    return More() if rule.needed - size <= rule.slots - len(ballots) else Conflict()


def _equal_to(one: Ballot, ballots: Sequence[Ballot], differs: Differs) -> list[Ballot]:
    return [other for other in ballots if not _differ(one.answer, other.answer, differs)]


def _differ(one: Answer | None, other: Answer | None, differs: Differs) -> bool:
    if one is None or other is None:
        return one is not other
    return differs(one, other)


def _decided(answer: Answer | None, group: Sequence[Ballot]) -> Decided:
    return Decided(
        answer=answer,
        status="unanswerable" if answer is None else "answered",
        verdicts=tuple(ballot.verdict_id for ballot in group),
    )
