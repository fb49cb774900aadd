"""Erasing: an admin ends a case for good; its input is no longer shown, and only the digest stays."""

from uuid import UUID

from gateway.store.ledger import WriteSession
from review.actors import Actor
from review.desk.transition import advance
from review.errors import LegalHold, WrongState
from review.store.cases import Case, lock_case
from review.store.claims import end_claims, unended_claims
from review.store.outcomes import close_joining
from review.store.payloads import erase_payloads


async def erase_case(w: WriteSession, actor: Actor, case_id: UUID, why: str) -> Case:
    """The case closed as erased, whatever its state, and the payloads of its prediction marked as erased.

    The objects themselves are deleted by whoever finds their rows so marked.
    Raises: UnknownCase, NotAPerson, NotAllowed, WrongState when it was erased before, LegalHold.
    """
    case = await lock_case(w, case_id, actor.tenant_id)
    actor.require("admin", case.model_id)
    if case.closed_reason == "erased":
        raise WrongState(state="erased", action="erase")
    now = await w.now_us()
    if not await erase_payloads(w, case.prediction_id, now):
        raise LegalHold
    await end_claims(w, [claim.id for claim in await unended_claims(w, case.id)], "closed", now)
    await close_joining(w, case.prediction_id)
    return await advance(w, case, "erase", by=actor.by, at_us=now, closed="erased", why=why)
