"""Which outcome is the truth of an item. Pure.

| rank | source | when |
|---|---|---|
| 1 | `adjudication` | a lead decided |
| 2 | `truth:NAME` | ground truth arrived |
| 3 | `people` | the outcome rests on two verdicts or more |
| 4 | `people` | it rests on one |

The best rank wins, within it the latest revision. Undone outcomes are no candidates.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Ranked(Protocol):
    """An outcome, as far as its rank is concerned."""

    @property
    def source(self) -> str: ...
    @property
    def people(self) -> int: ...
    @property
    def revision(self) -> int: ...


R = TypeVar("R", bound=Ranked)


def truth_of(outcomes: Sequence[R]) -> R:
    """The truth among the outcomes of one item, of which there is at least one."""
    return min(outcomes, key=lambda outcome: (rank_of(outcome.source, outcome.people), -outcome.revision))


def rank_of(source: str, people: int) -> int:
    """The rank of an outcome, 1 the best."""
    if source == "adjudication":
        return 1
    if source.startswith("truth:"):
        return 2
    return 3 if people > 1 else 4
