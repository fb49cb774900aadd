"""The life of a case: which action leads from which state to which, who may act, and what is told. Pure.

| action     | from                         | to                             | who                | event |
|------------|------------------------------|--------------------------------|--------------------|-------|
| open       | –                            | open                           | gateway, worker    | opened |
| claim      | open, claimed, partial       | claimed, partial               | reviewer           | claimed |
| renew      | claimed, partial             | the same                       | reviewer           | renewed |
| return     | claimed, partial             | open, claimed, partial         | reviewer           | returned |
| lapse      | claimed, partial             | open, claimed, partial         | worker             | lapsed |
| judge      | claimed, partial             | partial, settled, adjudicating | reviewer           | judged, … |
| escalate   | open, claimed, partial       | adjudicating                   | worker, service    | adjudicating |
| adjudicate | adjudicating                 | settled, closed(cannot_tell)   | lead               | settled or closed |
| undo       | settled                      | open, round + 1                | its reviewer, lead | undone |
| expire     | open … adjudicating          | expired                        | worker             | expired |
| reopen     | expired                      | open, round + 1                | lead               | reopened |
| cancel     | open                         | closed(cancelled)              | caller             | closed |
| withdraw   | claimed, partial             | the same                       | caller             | withdrawn |
| supersede  | open … adjudicating, expired | closed(superseded)             | worker             | closed |
| erase      | any but closed(erased)       | closed(erased)                 | admin              | closed |

A case that is claimed has a live claim and no verdict this round; partial has some verdicts and is undecided, with or
without a live claim. Judging and adjudicating are told by the state they reach, save `judged` for partial. Only `undo`
and `reopen` begin a new round. Verdicts reach nobody by way of this table: an outcome is released when its time has
come, and that a caller was told a fallback is a delivery, not a state.
"""

from typing import Literal

import msgspec

from review.errors import WrongState

State = Literal["open", "claimed", "partial", "adjudicating", "settled", "expired", "closed"]
Action = Literal[
    "open", "claim", "renew", "return", "lapse", "judge", "escalate", "adjudicate", "undo", "expire", "reopen",
    "cancel", "withdraw", "supersede", "erase",
]  # fmt: skip
Who = Literal["gateway", "worker", "service", "reviewer", "its reviewer", "lead", "caller", "admin"]
Came = Literal["more", "decided", "conflict"]
VerdictKind = Literal["approve", "correct", "unanswerable", "cannot_tell", "escalate"]

IN_LINE: tuple[State, ...] = ("open", "claimed", "partial")
WITH_PEOPLE: tuple[State, ...] = (*IN_LINE, "adjudicating")
EVERY: tuple[State, ...] = (*WITH_PEOPLE, "settled", "expired", "closed")


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    action: Action
    before: tuple[State, ...]
    """The states it starts from; none for the opening."""
    after: tuple[State, ...]
    who: tuple[Who, ...]
    event: str = ""
    """The event's name; '' where it is named after the state that is reached."""
    new_round: bool = False
    effects: tuple[str, ...] = ()


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of a case's round after the action's own rows are written."""

    verdicts: int = 0
    live_claims: int = 0
    came_to: Came = "more"
    """What the agreement rule says of its verdicts."""
    unanswered: bool = False
    """Whether a lead could not tell either."""


TABLE: tuple[Transition, ...] = (
    Transition(action="open", before=(), after=("open",), who=("gateway", "worker"), event="case.opened",
               effects=("payload stored", "prediction.held for a hold")),
    Transition(action="claim", before=IN_LINE, after=("claimed", "partial"), who=("reviewer",), event="case.claimed",
               effects=("claim with the case's next token",)),
    Transition(action="renew", before=("claimed", "partial"), after=("claimed", "partial"), who=("reviewer",),
               event="case.renewed", effects=("later expiry",)),
    Transition(action="return", before=("claimed", "partial"), after=IN_LINE, who=("reviewer",), event="case.returned",
               effects=("claim ended",)),
    Transition(action="lapse", before=("claimed", "partial"), after=IN_LINE, who=("worker",), event="case.lapsed",
               effects=("claim ended", "a late verdict becomes a draft")),
    Transition(action="judge", before=("claimed", "partial"), after=("partial", "settled", "adjudicating"),
               who=("reviewer",), effects=("verdict", "claim ended", "outcome when decided")),
    Transition(action="escalate", before=IN_LINE, after=("adjudicating",), who=("worker", "service"),
               effects=("claims ended", "priority up")),
    Transition(action="adjudicate", before=("adjudicating",), after=("settled", "closed"), who=("lead",),
               effects=("verdict", "outcome, or the fallback and 422")),
    Transition(action="undo", before=("settled",), after=("open",), who=("its reviewer", "lead"), event="case.undone",
               new_round=True, effects=("outcome undone", "precedent withdrawn")),
    Transition(action="expire", before=WITH_PEOPLE, after=("expired",), who=("worker",), event="case.expired",
               effects=("undelivered hold: fallback", "an audit counts as non-response")),
    Transition(action="reopen", before=("expired",), after=("open",), who=("lead",), event="case.reopened",
               new_round=True, effects=("deliveries unchanged",)),
    Transition(action="cancel", before=("open",), after=("closed",), who=("caller",), effects=("410",)),
    Transition(action="withdraw", before=("claimed", "partial"), after=("claimed", "partial"), who=("caller",),
               event="case.withdrawn", effects=("caller_waiting false", "excluded from estimates")),
    Transition(action="supersede", before=(*WITH_PEOPLE, "expired"), after=("closed",), who=("worker",),
               effects=("only a disagreement whose trial ended",)),
    Transition(action="erase", before=EVERY, after=("closed",), who=("admin",),
               effects=("payload gone", "digest stays")),
)  # fmt: skip

BY_ACTION: dict[str, Transition] = {row.action: row for row in TABLE}


def next_state(state: State, action: Action, round_: Round | None = None) -> State:
    """The state that the action leads to. Raises: WrongState when the table has no such row."""
    row = BY_ACTION[action]
    if state not in row.before:
        raise WrongState(state=state, action=action)
    after = _reached(state, row, round_ or Round())
    assert after in row.after, f"{action} leads from {state} to {after}, which is not in the table"
    return after


def event_of(action: Action, after: State) -> str:
    """The name of the event that tells the action; judging and adjudicating are told by the state they reach."""
    judged = action == "judge" and after == "partial"
    return "case.judged" if judged else BY_ACTION[action].event or f"case.{after}"


def _reached(state: State, row: Transition, round_: Round) -> State:
    match row.action:
        case "claim":
            return "partial" if round_.verdicts else "claimed"
        case "renew" | "withdraw":
            return state
        case "return" | "lapse":
            return _idle(round_)
        case "judge":
            return _judged(round_)
        case "adjudicate":
            return "closed" if round_.unanswered else "settled"
        case _:
            return row.after[0]


def _idle(round_: Round) -> State:
    """The state of an undecided case after one of its claims has ended without a verdict."""
    if round_.verdicts:
        return "partial"
    return "claimed" if round_.live_claims else "open"


def _judged(round_: Round) -> State:
    outcome: dict[Came, State] = {"more": "partial", "decided": "settled", "conflict": "adjudicating"}
    return outcome[round_.came_to]
