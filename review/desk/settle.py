"""Settling: a decided case becomes an outcome revision, and whoever must know is told in the same transaction."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.store.events import append_event
from gateway.store.ledger import WriteSession
from gateway.times import after_us
from review.desk.agreement import Decided
from review.desk.life import Action, Round
from review.desk.revising import Told, tell_revision
from review.desk.transition import advance
from review.store.cases import Case, cases_of
from review.store.claims import end_claims, unended_claims
from review.store.outcomes import (
    Outcome,
    Prediction,
    close_joining,
    insert_outcome,
    lock_prediction,
    outcomes_of,
)
from review.store.terms import Terms


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision comes to."""

    case: Case
    outcome: Outcome


async def settle(
    w: WriteSession, case: Case, terms: Terms, decided: Decided, *, action: Action, by: str, at_us: int, verdict: UUID
) -> Settlement:
    """The case settled by its next outcome revision: other claims ended, the caller's side told.

    The locked case must be `claimed` or `partial` (action `judge`) or `adjudicating` (action `adjudicate`).
    """
    prediction = await lock_prediction(w, case.prediction_id)
    outcome = await _next_outcome(w, case, terms, decided, action, at_us)
    await insert_outcome(w, outcome, decided.verdicts)
    await end_other_claims(w, case, at_us)
    settled = await advance(
        w, case, action, Round(came_to="decided"), by=by, at_us=at_us,
        verdict=str(verdict), outcome_revision=outcome.revision, status=outcome.status,
    )  # fmt: skip
    told = Told(
        prediction=prediction, tenant_id=case.tenant_id, answer=case.answer, schema=terms.schema, policy=terms.policy
    )
    await tell_revision(w, told, outcome, by=by)
    await tell_when_decided(w, settled, prediction, by=by, at_us=at_us)
    return Settlement(case=settled, outcome=outcome)


async def _next_outcome(
    w: WriteSession, case: Case, terms: Terms, decided: Decided, action: Action, at_us: int
) -> Outcome:
    earlier = await outcomes_of(w, case.prediction_id, case.item)
    last = earlier[-1].revision if earlier else 0
    return Outcome(
        prediction_id=case.prediction_id,
        item=case.item,
        revision=last + 1,
        case_id=case.id,
        round=case.round,
        source="adjudication" if action == "adjudicate" else "people",
        status=decided.status,
        answer=decided.answer,
        differs=terms.schema.differs(case.answer, decided.answer),
        release_after_us=after_us(at_us, terms.undo_grace_s),
        supersedes=last or None,
        created_us=at_us,
    )


async def end_other_claims(w: WriteSession, case: Case, at_us: int) -> None:
    """End every claim on the case that has not ended: its question is decided."""
    claims = await unended_claims(w, case.id)
    await end_claims(w, [claim.id for claim in claims], "decided", at_us)


async def tell_when_decided(w: WriteSession, case: Case, prediction: Prediction, *, by: str, at_us: int) -> None:
    """Append `prediction.settled` when this was the last held item of a locked prediction, and end its joining."""
    if case.kind != "hold":
        return
    holds = [other for other in await cases_of(w, case.prediction_id) if other.kind == "hold"]
    if not all(_decided(other) for other in holds):
        return
    if prediction.open:
        await close_joining(w, case.prediction_id)
    if all(other.state == "settled" or other.closed_reason == "cannot_tell" for other in holds):
        data = {"items": [other.item for other in holds], "outcomes": await _revisions(w, holds)}
        await append_event(
            w, "prediction.settled", f"prediction:{case.prediction_id}", data,
            by=by, tenant_id=case.tenant_id, at_us=at_us,
        )  # fmt: skip


def _decided(case: Case) -> bool:
    """Whether people are done with the case, one way or another."""
    return case.state in ("settled", "expired", "closed")


async def _revisions(w: WriteSession, holds: Sequence[Case]) -> dict[str, int]:
    """The latest outcome revision of each held item that has one."""
    found = {case.item: await outcomes_of(w, case.prediction_id, case.item) for case in holds}
    return {str(item): outcomes[-1].revision for item, outcomes in found.items() if outcomes}
