"""Leases that ran out: each claim that has expired is ended, and its case goes back into the line."""

from collections.abc import Sequence

from gateway.store.ledger import WriteSession
from review.desk.life import Round
from review.desk.transition import WORKER, advance
from review.store.cases import Case, lock_free_cases
from review.store.claims import Claim, end_claims, expired_cases, unended_claims
from review.store.verdicts import Verdict, verdicts_of


async def lapse_claims(w: WriteSession, now_us: int, limit: int = 100) -> int:
    """End every claim that has expired by `now_us`, on at most `limit` cases; returns how many ended."""
    ended = 0
    for case in await lock_free_cases(w, await expired_cases(w, now_us, limit)):
        claims = await unended_claims(w, case.id)
        verdicts = [verdict for verdict in await verdicts_of(w, case.id) if verdict.round == case.round]
        ended += sum(not claim.live(now_us) for claim in claims)
        await lapse_expired(w, case, claims, verdicts, now_us)
    return ended


async def lapse_expired(
    w: WriteSession, case: Case, claims: Sequence[Claim], verdicts: Sequence[Verdict], now_us: int
) -> Case:
    """The locked case after each expired one of its unended `claims` was ended, with an event for each."""
    left = len(claims)
    for claim in claims:
        if claim.live(now_us):
            continue
        left -= 1
        await end_claims(w, [claim.id], "expired", now_us)
        round_ = Round(verdicts=len(verdicts), live_claims=left)
        case = await advance(w, case, "lapse", round_, by=WORKER, at_us=now_us, claim=str(claim.id))
    return case
