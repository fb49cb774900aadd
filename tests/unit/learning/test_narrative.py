"""The words of an evaluation: what is said follows from the figures, and chance is called chance."""

import numpy as np
import pytest

from review.learning.narrative import Told, narrative_of
from review.learning.report import ItemChange, listed
from review.learning.scores import Answers, compare, scores_of


def told(champion: list[bool], candidate: list[bool], **more: object) -> str:
    """The narrative about two releases on these items, of which the first half is in one shop."""
    n = len(champion)
    before, after = np.array(champion), np.array(candidate)
    answers = Answers(
        truth=["a"] * n, said=["a" if right else "b" for right in candidate], right=after, scores=np.full(n, np.nan),
        weights=np.ones(n),
    )  # fmt: skip
    slices = {"shop": ["north"] * (n // 2) + ["south"] * (n - n // 2)}
    given = {
        "release": "m@2", "baseline": "m@1", "dataset": "d" * 64, "held_out": n, "overlap": 0, "overlap_known": True,
        "no_answer": 0, "scores": scores_of(answers, slices, ("a", "b")),
        "comparisons": compare(before, after, slices),
    }  # fmt: skip
    return " ".join(narrative_of(Told(**given | more)))


@pytest.mark.parametrize(
    ("champion", "candidate", "says"),
    [
        ([True] * 40 + [False] * 20, [True] * 60, "fixes 20 and breaks 0"),
        ([True] * 40 + [False] * 20, [True] * 60, "That it is better is more than chance"),
        ([True] * 58 + [False] * 2, [True] * 60, "That it looks better may be chance"),
        ([True] * 60, [False] * 20 + [True] * 40, "That it is worse is more than chance"),
        ([True] * 60, [False] * 20 + [True] * 40, "It got worse in shop=north"),
        ([True] * 60, [False] * 2 + [True] * 58, "The slice that looks worse is shop=north"),
        ([True] * 60, [False] * 2 + [True] * 58, "that may be chance"),
        ([True] * 60, [True] * 60, "The two are equally often right on these items."),
        ([True] * 60, [True] * 60, "No slice got worse."),
        ([True] * 8, [True] * 8, "8 items are few"),
    ],
)
def test_a_difference_is_called_what_it_is(champion: list[bool], candidate: list[bool], says: str) -> None:
    """Better or worse, surely or perhaps by chance; and the slice that got worse is named."""
    assert says in told(champion, candidate)


def test_what_is_not_clean_or_not_known_is_said() -> None:
    """Inputs that were learned from, training data that is not attached, answers outside of the schema."""
    sound = ([True] * 40, [True] * 40)
    assert "None of the held-out inputs" in told(*sound)
    assert "3 of the held-out inputs" in told(*sound, overlap=3)
    assert "cannot be told" in told(*sound, overlap_known=False)
    assert "To 2 of them it gave no answer" in told(*sound, no_answer=2)
    assert "nothing to compare it with" in told(*sound, baseline=None)


def test_too_many_changes_are_listed_by_lot_and_the_lot_is_repeatable() -> None:
    """At most 200 of each kind, in their order, the same for the same seed."""
    changes = [
        ItemChange(
            prediction=str(n), item=1, change="fixed" if n % 3 else "broken", truth="", champion="", candidate=""
        )
        for n in range(900)
    ]
    found = listed(changes, 7)
    assert [change.change for change in found] == ["fixed"] * 200 + ["broken"] * 200
    assert found == listed(changes, 7)
    assert found != listed(changes, 8)
    assert listed(changes[:9], 7) == tuple(sorted(changes[:9], key=lambda change: change.change == "broken"))
