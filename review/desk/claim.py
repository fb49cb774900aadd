"""Claiming: the next cases of a person's queues, or one in particular; renewing and returning a claim."""

import contextlib
from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.ids import new_id
from gateway.store.ledger import ReadSession, WriteSession
from gateway.times import after_us
from review.actors import Actor
from review.desk.lapse import lapse_expired
from review.desk.life import IN_LINE, Round
from review.desk.transition import advance
from review.errors import (
    AlreadyJudged,
    ClaimEnded,
    NoFreeSlot,
    NotAMember,
    OwnTraffic,
    ReviewError,
    UnknownClaim,
    WrongState,
)
from review.store.cases import Case, claimable, lock_case, lock_free_cases
from review.store.claims import Claim, claim_by_id, end_claims, extend_claim, insert_claim, slots_of, unended_claims
from review.store.queues import queues_of
from review.store.terms import Terms, is_member, terms_of
from review.store.verdicts import Verdict, verdicts_of

COUNT_MAX = 3
"""The card in hand and two look-ahead cards."""
SPARE = 16
"""How many more candidates are read than asked for where others may be taking the same ones at this moment."""
ATTEMPTS = 4


async def claim_next(w: WriteSession, actor: Actor, queues: Sequence[str] | None = None, count: int = 1) -> list[Claim]:
    """Up to `count` (at most 3) new claims on the cases that come first in the actor's queues, or in the named ones.

    On PostgreSQL cases that somebody else is taking at this moment are skipped, not waited for.
    Raises: NotAPerson, NotAMember for a named queue that is not hers.
    """
    actor.require_any("reviewer")
    now = await w.now_us()
    mine = await _queues(w, actor, queues)
    claims: list[Claim] = []
    tried: list[UUID] = []
    for _ in range(ATTEMPTS):
        wanted = min(count, COUNT_MAX) - len(claims)
        limit = wanted + SPARE if w.locks_rows else wanted
        ids = await claimable(w, actor.id, mine, now_us=now, limit=limit, tried=tried) if wanted else []
        if not ids:
            break
        cases = await lock_free_cases(w, ids, wanted)
        claims += await _take_each(w, actor, cases, now)
        tried += [case.id for case in cases] or ids
    return claims


async def _queues(r: ReadSession, actor: Actor, names: Sequence[str] | None) -> list[UUID]:
    mine = await queues_of(r, actor.id, actor.tenant_id)
    for name in names or ():
        if name not in mine:
            raise NotAMember(queue=name)
    return [mine[name] for name in (names or mine)]


async def _take_each(w: WriteSession, actor: Actor, cases: Sequence[Case], now_us: int) -> list[Claim]:
    """Claims on those of the locked cases that are still to be had."""
    claims: list[Claim] = []
    for case in cases:
        with contextlib.suppress(ReviewError):  # somebody took the last slot between the look and the lock
            claims.append(await _take(w, actor, case, now_us))
    return claims


async def claim_case(w: WriteSession, actor: Actor, case_id: UUID) -> Claim:
    """A claim on this case; her own live one when she has it already.

    Raises: UnknownCase, WrongState, NotAllowed, NotAMember, OwnTraffic, AlreadyJudged, NoFreeSlot.
    """
    case = await lock_case(w, case_id, actor.tenant_id)
    if not await is_member(w, case.queue_id, actor.id):
        raise NotAMember(queue=(await terms_of(w, case.id)).queue)
    now = await w.now_us()
    for claim in await unended_claims(w, case.id):
        if claim.person_id == actor.id and claim.live(now):
            return claim
    return await _take(w, actor, case, now)


async def _take(w: WriteSession, actor: Actor, case: Case, now_us: int) -> Claim:
    """A new claim on a locked case. Writes nothing when it raises."""
    actor.require("reviewer", case.model_id)
    if case.state not in IN_LINE:
        raise WrongState(state=case.state, action="claim")
    terms = await terms_of(w, case.id)
    untouched = case.state == "open"  # then it has neither claims nor verdicts this round
    claims = [] if untouched else await unended_claims(w, case.id)
    verdicts = [] if untouched else [one for one in await verdicts_of(w, case.id) if one.round == case.round]
    live = [claim for claim in claims if claim.live(now_us)]
    if fault := claim_fault(actor.id, terms, live, verdicts):
        raise fault
    case = await lapse_expired(w, case, claims, verdicts, now_us)
    return await _insert(w, actor, case, terms, live, verdicts, now_us)


def claim_fault(
    person_id: UUID, terms: Terms, live: Sequence[Claim], verdicts: Sequence[Verdict]
) -> ReviewError | None:
    """Why this person may not claim the case in this round; None when she may. Pure."""
    if terms.own_traffic_of(person_id):
        return OwnTraffic()
    if any(verdict.person_id == person_id for verdict in verdicts):
        return AlreadyJudged()
    ballots = sum(verdict.kind != "cannot_tell" for verdict in verdicts)
    if any(claim.person_id == person_id for claim in live) or len(live) + ballots >= terms.rule.slots:
        return NoFreeSlot()
    return None


async def _insert(
    w: WriteSession,
    actor: Actor,
    case: Case,
    terms: Terms,
    live: Sequence[Claim],
    verdicts: Sequence[Verdict],
    now_us: int,
) -> Claim:
    balloted = await slots_of(w, [verdict.claim_id for verdict in verdicts if verdict.kind != "cannot_tell"])
    taken = balloted | {claim.slot for claim in live}
    claim = Claim(
        id=new_id(),
        case_id=case.id,
        round=case.round,
        slot=next(slot for slot in range(1, terms.rule.slots + 1) if slot not in taken),
        person_id=actor.id,
        token=case.next_token,
        claimed_us=now_us,
        expires_us=after_us(now_us, terms.lease_s),
    )
    await insert_claim(w, claim)
    changed = msgspec.structs.replace(case, next_token=case.next_token + 1)
    round_ = Round(verdicts=len(verdicts), live_claims=len(live) + 1)
    await advance(
        w, case, "claim", round_, by=actor.by, at_us=now_us, changed=changed,
        claim=str(claim.id), token=claim.token, slot=claim.slot, expires_us=claim.expires_us,
    )  # fmt: skip
    return claim


async def renew_claim(w: WriteSession, actor: Actor, claim_id: UUID) -> Claim:
    """Her claim with a whole lease from now on. Raises: UnknownClaim, ClaimEnded."""
    case, claim, now = await _live_claim(w, actor, claim_id)
    terms = await terms_of(w, case.id)
    expires = max(claim.expires_us, after_us(now, terms.lease_s))
    await extend_claim(w, claim.id, expires)
    await advance(w, case, "renew", by=actor.by, at_us=now, claim=str(claim.id), expires_us=expires)
    return msgspec.structs.replace(claim, expires_us=expires)


async def return_claim(w: WriteSession, actor: Actor, claim_id: UUID) -> Case:
    """Give the case back unjudged, for somebody else. Raises: UnknownClaim, ClaimEnded."""
    case, claim, now = await _live_claim(w, actor, claim_id)
    await end_claims(w, [claim.id], "returned", now)
    verdicts = [verdict for verdict in await verdicts_of(w, case.id) if verdict.round == case.round]
    live = [other for other in await unended_claims(w, case.id) if other.live(now)]
    round_ = Round(verdicts=len(verdicts), live_claims=len(live))
    return await advance(w, case, "return", round_, by=actor.by, at_us=now, claim=str(claim.id))


async def _live_claim(w: WriteSession, actor: Actor, claim_id: UUID) -> tuple[Case, Claim, int]:
    """The locked case, the claim as it is under that lock, and the time. Raises: UnknownClaim, ClaimEnded."""
    case = await lock_claimed_case(w, actor, claim_id)
    claim = await claim_by_id(w, claim_id)
    now = await w.now_us()
    if claim is None or not claim.live(now) or claim.round != case.round:
        raise ClaimEnded
    return case, claim, now


async def lock_claimed_case(w: WriteSession, actor: Actor, claim_id: UUID) -> Case:
    """The case on which the actor has or had this claim, locked. Raises: UnknownClaim."""
    claim = await claim_by_id(w, claim_id)
    if claim is None or claim.person_id != actor.id:
        raise UnknownClaim
    return await lock_case(w, claim.case_id, actor.tenant_id)
