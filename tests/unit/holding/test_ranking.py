"""The ranking of truth: its table, and that the order in which outcomes come makes no difference between ranks."""

from itertools import permutations

import msgspec
import pytest

from gateway.holding.ranking import RANKS, rank_of, truth_among


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome as the table names it."""

    revision: int
    source: str = "people"
    verdicts: int = 1
    undone: bool = False


ONE, TWO = {"verdicts": 1}, {"verdicts": 2}
TRUTH, LEAD = {"source": "truth:lab", "verdicts": 0}, {"source": "adjudication"}
UNDONE = {"undone": True}
TABLE = [
    ("nothing", [], None),
    ("one person", [ONE], 1),
    ("the latest of two of a rank", [ONE, ONE], 2),
    ("several agree, then one differs", [TWO, ONE], 1),
    ("one, then several", [ONE, TWO], 2),
    ("a ground truth after several", [TWO, TRUTH], 2),
    ("several after a ground truth", [TRUTH, TWO], 1),
    ("two ground truths", [TRUTH, {"source": "truth:court", "verdicts": 0}], 2),
    ("a lead, then a ground truth", [LEAD, TRUTH], 1),
    ("a ground truth, then a lead", [TRUTH, LEAD], 2),
    ("a lead twice", [LEAD, ONE, LEAD], 3),
    ("undone, and nothing came yet", [ONE | UNDONE], 1),
    ("a lead's was undone, one person decided", [LEAD | UNDONE, ONE], 2),
    ("a lead's was undone, and nothing came yet", [TRUTH, LEAD | UNDONE], 2),
    ("a lower one was undone", [TRUTH, ONE | UNDONE], 1),
    ("both were undone", [LEAD | UNDONE, ONE | UNDONE], 2),
]  # fmt: skip


@pytest.mark.parametrize(("made", "revision"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_table(made: list[dict[str, object]], revision: int | None) -> None:
    """The highest rank is true, and within it the latest revision."""
    outcomes = [Made(revision=number, **fields) for number, fields in enumerate(made, start=1)]  # type: ignore[arg-type]
    truth = truth_among(outcomes)
    assert (truth.revision if truth is not None else None) == revision


def test_a_higher_rank_wins_whenever_it_came() -> None:
    """Each rank beats all below it, in every order of their revisions and however they are handed over."""
    made = [ONE, TWO, TRUTH, LEAD]
    ranks = [rank_of(str(one.get("source", "people")), int(one.get("verdicts", 1))) for one in made]  # type: ignore[call-overload]
    assert tuple(ranks) == RANKS
    for order in permutations(made):
        outcomes = [Made(revision=number, **fields) for number, fields in enumerate(order, start=1)]  # type: ignore[arg-type]
        truth = truth_among(reversed(outcomes))
        assert truth is not None
        assert truth.source == "adjudication"
