"""What the worker does to undecided cases: those past due expire, stranded ones go to a lead, moot ones close."""

from gateway.store.ledger import WriteSession
from review.desk.life import Round
from review.desk.settle import end_other_claims, tell_when_decided
from review.desk.transition import WORKER, advance
from review.store.cases import Case, lock_free_cases, moot_disagreements, overdue_cases, stranded_cases
from review.store.claims import end_claims, unended_claims
from review.store.outcomes import lock_prediction
from review.store.tallies import open_trials


async def expire_due(w: WriteSession, now_us: int, limit: int = 100) -> int:
    """Expire undecided cases past due on which nobody has a live claim; returns how many."""
    ids = await overdue_cases(w, now_us, limit)
    return sum([await _expire(w, case, now_us) for case in await lock_free_cases(w, ids)])


async def _expire(w: WriteSession, case: Case, now_us: int) -> bool:
    """Whether the locked case expired: a claim may have been renewed before it was locked."""
    claims = await unended_claims(w, case.id)
    if case.state in ("settled", "expired", "closed") or any(claim.live(now_us) for claim in claims):
        return False
    await end_claims(w, [claim.id for claim in claims], "expired", now_us)
    expired = await advance(w, case, "expire", by=WORKER, at_us=now_us)
    prediction = await lock_prediction(w, case.prediction_id)
    await tell_when_decided(w, expired, prediction, by=WORKER, at_us=now_us)
    return True


async def escalate_stranded(w: WriteSession, now_us: int, limit: int = 100) -> int:
    """Put partial cases before a lead when no member of their queue is left to judge them; returns how many.

    The last verdict escalates by itself; this is for members who left the queue after it.
    """
    escalated = 0
    for case in await lock_free_cases(w, await stranded_cases(w, now_us, limit)):
        if case.state == "partial" and not any(claim.live(now_us) for claim in await unended_claims(w, case.id)):
            await end_other_claims(w, case, now_us)
            await advance(w, case, "escalate", by=WORKER, at_us=now_us)
            escalated += 1
    return escalated


async def supersede_disagreements(w: WriteSession, now_us: int, limit: int = 100) -> int:
    """Close at most `limit` undecided disagreements whose trial has ended; returns how many.

    Never a hold or an audit: somebody waits for the one, and an estimate rests on the other.
    """
    cases = await lock_free_cases(w, await moot_disagreements(w, await open_trials(w), limit))
    open_ones = [case for case in cases if case.state not in ("settled", "closed")]
    for case in open_ones:
        claims = await unended_claims(w, case.id)
        await end_claims(w, [claim.id for claim in claims], "closed", now_us)
        await advance(w, case, "supersede", Round(), by=WORKER, at_us=now_us, closed="superseded")
    return len(open_ones)
