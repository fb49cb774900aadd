"""Judging: a reviewer's verdict under a live claim, and what the agreement rule makes of it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.ids import new_id
from gateway.store.events import events_about
from gateway.store.ledger import Ledger, WriteSession
from gateway.times import SECOND_US
from review.actors import Actor
from review.desk.agreement import Agreement, Ballot, Conflict, Decided, More, agree
from review.desk.claim import lock_claimed_case
from review.desk.life import IN_LINE, Round, State, VerdictKind
from review.desk.ruling import Judgement, Ruling, rule_on
from review.desk.settle import end_other_claims, settle
from review.desk.transition import advance
from review.errors import ClaimLost, PostKeyReused
from review.store.cases import Case
from review.store.claims import Claim, claim_by_id, end_claims
from review.store.terms import Terms, somebody_is_left, terms_of
from review.store.verdicts import (
    Draft,
    Shown,
    Verdict,
    drop_draft,
    insert_verdict,
    keep_draft,
    verdict_by_post_key,
    verdicts_of,
)

CANNOT_TELL_MAX = 2
"""How many people of a round may say that they cannot tell before a lead is asked."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a posted judgement."""

    verdict_id: UUID
    case_id: UUID
    kind: VerdictKind
    """As recorded: a correction to the model's own answer is an approval."""
    state: State
    """The case's state right after this verdict."""
    round: int
    outcome_revision: int | None = None


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """The claim had ended before the judgement came, which is kept as a draft."""

    case_id: UUID


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the event of a verdict tells."""

    to: State
    round: int
    verdict: str = ""
    outcome_revision: int | None = None


async def post_verdict(ledger: Ledger, actor: Actor, claim_id: UUID, token: int, judgement: Judgement) -> Judged:
    """Judge in a transaction of its own. Raises: ClaimLost after the draft was kept, and what `judge` raises."""
    async with ledger.writing() as w:
        result = await judge(w, actor, claim_id, token, judgement)
    if isinstance(result, Late):
        raise ClaimLost
    return result


async def judge(w: WriteSession, actor: Actor, claim_id: UUID, token: int, judgement: Judgement) -> Judged | Late:
    """Record the judgement under the claim and carry out what follows; the same post_key gives the same result.

    Raises: UnknownClaim, PostKeyReused, VerdictRefused, AnswerRefused.
    """
    case = await lock_claimed_case(w, actor, claim_id)
    posted = await verdict_by_post_key(w, actor.id, judgement.post_key)
    if posted is not None:
        return await repeat(w, posted, claim_id)
    claim = await claim_by_id(w, claim_id)
    now = await w.now_us()
    if claim is None or not _holds(case, claim, token, now):
        await keep_draft(w, case.id, actor.id, draft_from(judgement), "claim_lost", now)
        return Late(case_id=case.id)
    terms = await terms_of(w, case.id)
    ruling = rule_on(
        judgement, model_answer=case.answer, blind=case.blind, schema=terms.schema, rationale=terms.rationale,
        pair=case.pair,
    )  # fmt: skip
    return await _record(w, actor, case, terms, claim, ruling, judgement, now)


def _holds(case: Case, claim: Claim, token: int, now_us: int) -> bool:
    """Whether the claim still gives the right to judge."""
    return claim.live(now_us) and claim.token == token and claim.round == case.round and case.state in IN_LINE


def draft_from(judgement: Judgement) -> Draft:
    """The judgement as a draft."""
    return Draft(
        kind=judgement.kind,
        answer=judgement.answer,
        reason_code=judgement.reason_code,
        rationale=judgement.rationale,
    )


async def repeat(w: WriteSession, posted: Verdict, claim_id: UUID | None) -> Judged:
    """What the verdict came to when it was first posted. Raises: PostKeyReused when it was for another claim."""
    if claim_id is not None and posted.claim_id != claim_id:
        raise PostKeyReused
    for event in await events_about(w, f"case:{posted.case_id}"):
        told = msgspec.json.decode(event.data, type=_Told)
        if told.verdict == str(posted.id):
            return _judged(posted, told.to, told.outcome_revision)
    raise AssertionError("every verdict has its event")


async def _record(
    w: WriteSession,
    actor: Actor,
    case: Case,
    terms: Terms,
    claim: Claim,
    ruling: Ruling,
    judgement: Judgement,
    now_us: int,
) -> Judged:
    earlier = await verdicts_of(w, case.id)
    verdict = make_verdict(case, terms, claim, ruling, judgement, earlier, now_us)
    await insert_verdict(w, verdict)
    await end_claims(w, [claim.id], "verdict", now_us)
    await drop_draft(w, case.id, actor.id)
    round_ = [other for other in earlier if other.round == case.round] + [verdict]
    return await _follow(w, actor, case, terms, verdict, round_, now_us)


def make_verdict(
    case: Case,
    terms: Terms,
    claim: Claim,
    ruling: Ruling,
    judgement: Judgement,
    earlier: Sequence[Verdict],
    now_us: int,
    *,
    only_lead: bool = False,
) -> Verdict:
    """The verdict's row. Pure but for its new id."""
    mine = [verdict for verdict in earlier if verdict.person_id == claim.person_id and verdict.round < case.round]
    return Verdict(
        id=new_id(),
        case_id=case.id,
        round=case.round,
        person_id=claim.person_id,
        claim_id=claim.id,
        kind=ruling.kind,
        answer=ruling.answer,
        reason_code=ruling.reason_code,
        rationale=ruling.rationale,
        shown=_shown(case, ruling),
        guideline=terms.guideline,
        active_s=min(judgement.active_s, (now_us - claim.claimed_us) / SECOND_US),
        adjudicated=case.state == "adjudicating",
        only_lead=only_lead,
        undoes_id=mine[-1].id if mine else None,
        post_key=judgement.post_key,
        created_us=now_us,
    )


def _shown(case: Case, ruling: Ruling) -> Shown:
    pair = case.pair
    if pair is None:
        return Shown(blind=case.blind, answer=None if case.blind else case.answer)
    order = tuple(str(release_id) for release_id in pair.releases)
    return Shown(blind=case.blind, order=order, answers=pair.answers, chosen=ruling.choice or "")


async def _follow(
    w: WriteSession, actor: Actor, case: Case, terms: Terms, verdict: Verdict, round_: Sequence[Verdict], now_us: int
) -> Judged:
    """Settle the case, put it before a lead, or leave it to the next reviewer."""
    comes_to = agreement_of(terms, round_)
    if isinstance(comes_to, Decided):
        settled = await settle(w, case, terms, comes_to, action="judge", by=actor.by, at_us=now_us, verdict=verdict.id)
        return _judged(verdict, settled.case.state, settled.outcome.revision)
    conflict = isinstance(comes_to, Conflict) or not await somebody_is_left(w, case.id, terms)
    if conflict:
        await end_other_claims(w, case, now_us)
    came_to = Round(verdicts=len(round_), came_to="conflict" if conflict else "more")
    after = await advance(w, case, "judge", came_to, by=actor.by, at_us=now_us, verdict=str(verdict.id))
    return _judged(verdict, after.state, None)


def agreement_of(terms: Terms, round_: Sequence[Verdict]) -> Agreement:
    """What a round's verdicts come to: a call for a lead ends it, too many who cannot tell as well. Pure."""
    kinds = [verdict.kind for verdict in round_]
    if "escalate" in kinds or kinds.count("cannot_tell") >= CANNOT_TELL_MAX:
        return Conflict()
    ballots = [
        Ballot(verdict_id=verdict.id, answer=verdict.answer) for verdict in round_ if verdict.kind != "cannot_tell"
    ]
    return agree(terms.rule, ballots, terms.schema.differs) if ballots else More()


def _judged(verdict: Verdict, state: State, revision: int | None) -> Judged:
    return Judged(
        verdict_id=verdict.id,
        case_id=verdict.case_id,
        kind=verdict.kind,
        state=state,
        round=verdict.round,
        outcome_revision=revision,
    )
