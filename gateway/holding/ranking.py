"""What is true of an item when several revisions of its outcome say something about it. Pure.

The first row of which the item has an outcome wins; within a row the latest revision does:

| rank           | made from                                         | in the ledger                               |
|----------------|---------------------------------------------------|---------------------------------------------|
| `adjudicated`  | a lead's verdict on what reviewers could not settle | source `adjudication`                     |
| `ground_truth` | what a service learned by itself, later           | source `truth:NAME`                         |
| `n_of_k`       | several people who agree                          | source `people`, rests on two verdicts or more |
| `one_person`   | one reviewer                                      | source `people`, rests on one verdict       |

An outcome whose round was undone counts only until a later revision comes: until then it is what was told.
So a ground truth never lowers what a lead decided, and one reviewer never overrules a ground truth.
"""

from collections.abc import Iterable
from typing import Literal, Protocol, TypeVar

Rank = Literal["one_person", "n_of_k", "ground_truth", "adjudicated"]
RANKS: tuple[Rank, ...] = ("one_person", "n_of_k", "ground_truth", "adjudicated")
"""From the lowest to the highest."""
TRUTH_PREFIX = "truth:"
"""What the source of a ground truth begins with."""


class Revision(Protocol):
    """A revision of an item's outcome, as far as its rank is concerned."""

    @property
    def revision(self) -> int:
        """Its number."""
        ...

    @property
    def source(self) -> str:
        """Either `people`, `adjudication` or `truth:NAME`."""
        ...

    @property
    def verdicts(self) -> int:
        """On how many verdicts it rests."""
        ...

    @property
    def undone(self) -> bool:
        """Whether its round was undone."""
        ...


R = TypeVar("R", bound=Revision)


def rank_of(source: str, verdicts: int) -> Rank:
    """The rank of an outcome from this source that rests on so many verdicts."""
    if source == "adjudication":
        return "adjudicated"
    if source.startswith(TRUTH_PREFIX):
        return "ground_truth"
    return "n_of_k" if verdicts > 1 else "one_person"


def truth_among(revisions: Iterable[R]) -> R | None:
    """The one of an item's revisions that is true; None where there is none.

    Whoever may not know of one yet, because it is not released, leaves it out.
    """
    found = sorted(revisions, key=lambda one: one.revision)
    if len(found) == 1:  # nearly every item, and a dataset asks for a million of them
        return found[0]
    standing = [one for one in found if not one.undone or one is found[-1]]
    return max(standing, key=_height, default=None)


def _height(one: Revision) -> tuple[int, int]:
    return RANKS.index(rank_of(one.source, one.verdicts)), one.revision
