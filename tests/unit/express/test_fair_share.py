"""Callers take turns in a run that is too small for all of them."""

from types import SimpleNamespace
from typing import Any

import pytest

from gateway.express.turn import fair_share


def waiting(*line: tuple[str, int]) -> list[Any]:
    """Requests by caller and number of items."""
    return [
        SimpleNamespace(target=SimpleNamespace(key_bytes=caller), request=SimpleNamespace(items=items))
        for caller, items in line
    ]


def told(found: list[Any]) -> list[tuple[str, int]]:
    """The same, read back."""
    return [(each.target.key_bytes, each.request.items) for each in found]


ROWS = {
    "room for all": ([("a", 1), ("b", 1)], 2, [("a", 1), ("b", 1)], []),
    "in turn": ([("a", 1), ("a", 1), ("a", 1), ("b", 1)], 2, [("a", 1), ("b", 1)], [("a", 1), ("a", 1)]),
    "a single large one": ([("a", 9), ("b", 1)], 2, [("a", 9)], [("b", 1)]),
    "a large one that does not fit keeps nobody out": (
        [("a", 1), ("a", 5), ("b", 1), ("b", 1)], 3, [("a", 1), ("b", 1), ("b", 1)], [("a", 5)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("line", "most", "taken", "left"), ROWS.values(), ids=ROWS)
def test_callers_take_turns(
    line: list[tuple[str, int]], most: int, taken: list[tuple[str, int]], left: list[tuple[str, int]]
) -> None:
    """At least one request is taken, no more items than fit, and who sends much waits for itself."""
    found, others = fair_share(waiting(*line), most)
    assert (told(found), told(others)) == (taken, left)
