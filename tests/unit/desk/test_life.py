"""The table of a case's life: what it allows, what it refuses, and that its docstring says the same."""

import itertools
import re

import pytest

from review.desk import life
from review.desk.life import BY_ACTION, EVERY, TABLE, Action, Round, State, event_of, next_state
from review.errors import WrongState

ROUNDS = [
    Round(verdicts=verdicts, live_claims=claims, came_to=came_to, unanswered=unanswered)
    for verdicts, claims, came_to, unanswered in itertools.product(
        (0, 1), (0, 1), ("more", "decided", "conflict"), (False, True)
    )
]


@pytest.mark.parametrize("action", [row.action for row in TABLE])
@pytest.mark.parametrize("state", EVERY)
def test_an_action_leads_where_its_row_says_or_is_refused(action: Action, state: State) -> None:
    """From each state each action reaches one of its row's states, whatever the round; elsewhere it is refused."""
    row = BY_ACTION[action]
    for round_ in ROUNDS:
        if state in row.before:
            assert next_state(state, action, round_) in row.after
        else:
            with pytest.raises(WrongState):
                next_state(state, action, round_)


@pytest.mark.parametrize(
    ("state", "action", "round_", "expected"),
    [
        ("open", "claim", Round(live_claims=1), "claimed"),
        ("partial", "claim", Round(verdicts=1, live_claims=1), "partial"),
        ("claimed", "return", Round(), "open"),
        ("claimed", "return", Round(live_claims=1), "claimed"),
        ("partial", "lapse", Round(verdicts=1), "partial"),
        ("claimed", "judge", Round(verdicts=1, came_to="more"), "partial"),
        ("claimed", "judge", Round(verdicts=1, came_to="decided"), "settled"),
        ("partial", "judge", Round(verdicts=2, came_to="conflict"), "adjudicating"),
        ("adjudicating", "adjudicate", Round(), "settled"),
        ("adjudicating", "adjudicate", Round(unanswered=True), "closed"),
        ("settled", "undo", Round(), "open"),
        ("expired", "reopen", Round(), "open"),
    ],
)
def test_what_the_round_decides(state: State, action: Action, round_: Round, expected: State) -> None:
    """Where a row has several ends, the round's verdicts and claims choose."""
    assert next_state(state, action, round_) == expected


def test_every_state_but_erased_can_be_left_and_every_state_reached() -> None:
    """No case is ever stuck: each state is the start and the end of some row."""
    assert {state for row in TABLE for state in row.before} == set(EVERY)
    assert {state for row in TABLE for state in row.after} == set(EVERY)


def test_every_transition_is_told_by_a_known_event() -> None:
    """The events are the ones that docs/desk.md lists, and no two ends of one row are told alike but by design."""
    told = {event_of(row.action, after) for row in TABLE for after in row.after}
    assert told == {
        "case.opened", "case.claimed", "case.renewed", "case.returned", "case.lapsed", "case.judged", "case.settled",
        "case.adjudicating", "case.undone", "case.expired", "case.reopened", "case.closed", "case.withdrawn",
    }  # fmt: skip


def test_the_docstring_carries_the_whole_table() -> None:
    """Each action has its line in the docstring, in the order of the data."""
    lines = re.findall(r"^\| ([a-z]+) +\|", life.__doc__ or "", flags=re.MULTILINE)
    assert lines[1:] == [row.action for row in TABLE]
