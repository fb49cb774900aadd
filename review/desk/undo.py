"""Undo and reopen: a new round of a case. The verdicts of the old round stay, and are no longer effective."""

from uuid import UUID

import msgspec

from gateway.store.ledger import WriteSession
from gateway.store.plans import bump_plan
from gateway.times import SECOND_US, after_us
from review.actors import Actor
from review.desk.transition import advance
from review.errors import NotAllowed, NotAPerson, ReasonMissing, TooLateToUndo, WrongState
from review.store.cases import Case, lock_case
from review.store.outcomes import (
    Outcome,
    lock_prediction,
    mark_undone,
    outcomes_of,
    reopen_joining,
    withdraw_precedents,
)
from review.store.terms import Terms, terms_of
from review.store.verdicts import verdicts_of

UNDO_S = 60.0
"""For so long a reviewer may undo her own verdict, released or not."""


async def undo(w: WriteSession, actor: Actor, case_id: UUID, reason: str) -> Case:
    """A settled case back in the line with a new round; nothing is sent to anybody yet.

    The same reviewer may within 60 s of the outcome or before its release, a lead at any time.
    Raises: UnknownCase, WrongState, ReasonMissing, NotAPerson, NotAllowed, TooLateToUndo.
    """
    why = _reason(reason)
    case = await lock_case(w, case_id, actor.tenant_id)
    if case.state != "settled":
        raise WrongState(state=case.state, action="undo")
    now = await w.now_us()
    outcome = await _outcome_of_round(w, case)
    await _check_right(w, actor, case, outcome, now)
    await lock_prediction(w, case.prediction_id)
    await mark_undone(w, outcome, by=actor.by, why=why, at_us=now)
    if await withdraw_precedents(w, case.prediction_id, case.item, now):
        await bump_plan(w, case.tenant_id)
    fresh = _new_round(case, await terms_of(w, case.id), now)
    undone = await advance(
        w, case, "undo", by=actor.by, at_us=now, changed=fresh, why=why, outcome_revision=outcome.revision
    )
    await _let_retries_join(w, undone)
    return undone


async def reopen(w: WriteSession, actor: Actor, case_id: UUID, reason: str) -> Case:
    """An expired case back in the line with a new round; what was delivered stays, a later outcome revises it.

    Raises: UnknownCase, WrongState, ReasonMissing, NotAPerson, NotAllowed.
    """
    why = _reason(reason)
    case = await lock_case(w, case_id, actor.tenant_id)
    actor.require("lead", case.model_id)
    now = await w.now_us()
    fresh = _new_round(case, await terms_of(w, case.id), now)
    reopened = await advance(w, case, "reopen", by=actor.by, at_us=now, changed=fresh, why=why)
    await lock_prediction(w, case.prediction_id)
    await _let_retries_join(w, reopened)
    return reopened


def _reason(reason: str) -> str:
    if not reason.strip():
        raise ReasonMissing
    return reason.strip()


def _new_round(case: Case, terms: Terms, now_us: int) -> Case:
    """The case with its next round and, when its deadline has passed, a new one: it would expire at once."""
    due = case.due_us if case.due_us > now_us else after_us(now_us, terms.deadline_s)
    return msgspec.structs.replace(case, round=case.round + 1, due_us=due)


async def _outcome_of_round(w: WriteSession, case: Case) -> Outcome:
    """The outcome to which this case's present round has come."""
    outcomes = await outcomes_of(w, case.prediction_id, case.item)
    return next(outcome for outcome in reversed(outcomes) if (outcome.case_id, outcome.round) == (case.id, case.round))


async def _check_right(w: WriteSession, actor: Actor, case: Case, outcome: Outcome, now_us: int) -> None:
    """Return if the actor may undo. Raises: NotAPerson, NotAllowed, TooLateToUndo."""
    if actor.kind != "person":
        raise NotAPerson
    if actor.may("lead", case.model_id):
        return
    verdicts = await verdicts_of(w, case.id)
    if not any(verdict.person_id == actor.id and verdict.round == case.round for verdict in verdicts):
        raise NotAllowed(role="lead")
    if now_us - outcome.created_us > UNDO_S * SECOND_US and now_us >= outcome.release_after_us:
        raise TooLateToUndo(seconds=UNDO_S)


async def _let_retries_join(w: WriteSession, case: Case) -> None:
    if case.kind == "hold":
        await reopen_joining(w, case.prediction_id)
