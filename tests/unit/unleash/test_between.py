"""Which states lie before and after an entry of Unleash's log: a table of what was fetched."""

from uuid import UUID

import pytest

from flags.store import StoredState
from gateway.store.fetched_flags import Transition
from review.unleash.between import SETTLED_US, SKEW_US, Followed, Sides, is_history, sides_of
from review.unleash.log import Change

AT_US = 10**15
SECOND = 1_000_000


def transition(before: str, after: str, revision: int, at_s: float = 0.0) -> Transition:
    """One state in the place of another, so many seconds later."""
    return Transition(before=before, after=after, revision=revision, at_us=AT_US + round(at_s * SECOND))


FIRST = transition("none", "a", 10)
SWITCHED = (FIRST, transition("a", "b", 20, 10), transition("b", "a", 25, 20))


def followed(*transitions: Transition, current: str = "a", revision: int = 25) -> Followed:
    """What was fetched, and what is in force."""
    state = StoredState(version=revision, digest=current, body=b"")
    return Followed(first=FIRST, transitions=transitions or SWITCHED, current=state)


def change(event: int, at_s: float = 0.0) -> Change:
    """A change of this number, so many seconds after the first fetch."""
    at_us = AT_US + round(at_s * SECOND)
    return Change(id=UUID(int=event), event=event, flag="m.shadow", at_us=at_us, by="unleash:ada", why="w")


@pytest.mark.parametrize(
    ("word", "one", "known", "sides"),
    [
        ("in a transition", change(20, 9), followed(), ("a", "b")),
        ("with others in one", change(15, 8), followed(), ("a", "b")),
        ("back to the state before", change(24, 19), followed(), ("b", "a")),
        ("changed nothing", change(30, 22), followed(revision=30), ("a", "a")),
        ("not fetched yet", change(30, 22), followed(), None),
        (
            "numbers that came again",
            change(20, 90),
            followed(*SWITCHED, transition("a", "c", 21, 95), current="c", revision=21),
            ("a", "c"),
        ),
    ],
)
def test_the_sides_of_a_change(word: str, one: Change, known: Followed, sides: tuple[str, str] | None) -> None:
    """The first transition to a revision that contains it; else the state in force, once that contains it."""
    found = sides_of(one, known, AT_US + 30 * SECOND)
    assert found == (Sides(before=sides[0], after=sides[1]) if sides else None)


def test_what_no_state_contains_is_settled_in_the_end() -> None:
    """After two minutes without a state that contains it, the state in force is on both sides."""
    late = change(30)
    assert sides_of(late, followed(), late.at_us + SETTLED_US) is None
    assert sides_of(late, followed(), late.at_us + SETTLED_US + 1) == Sides(before="a", after="a")


@pytest.mark.parametrize(
    ("word", "one", "ours"),
    [
        ("before the first fetch", change(10, -1), False),
        ("after it", change(11, -1), True),
        ("on a server that was restored", change(5, SKEW_US / SECOND + 1), True),
        ("an old number at the same time", change(5, 1), False),
    ],
)
def test_history_begins_with_the_first_fetch(word: str, one: Change, ours: bool) -> None:
    """No path of ours rested on what was changed before."""
    assert is_history(one, followed()) is ours
