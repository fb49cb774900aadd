"""Adjudicating: a lead decides a case that reviewers could not."""

from uuid import UUID

import msgspec

from gateway.ids import new_id
from gateway.store.ledger import WriteSession
from review.actors import Actor
from review.desk.agreement import Decided
from review.desk.judge import Judged, make_verdict, repeat
from review.desk.life import Round
from review.desk.ruling import Judgement, rule_on
from review.desk.settle import settle, tell_when_decided
from review.desk.transition import advance
from review.errors import EarlierJudge, OwnTraffic, PostKeyReused, VerdictRefused, WrongState
from review.store.cases import Case, lock_case
from review.store.claims import Claim, insert_claim
from review.store.outcomes import lock_prediction
from review.store.terms import Terms, another_lead, terms_of
from review.store.verdicts import Verdict, drop_draft, insert_verdict, verdict_by_post_key, verdicts_of


async def adjudicate(w: WriteSession, actor: Actor, case_id: UUID, judgement: Judgement) -> Judged:
    """Settle an adjudicating case by a lead's verdict, or close it when the lead cannot tell either.

    An earlier judge of the case may decide only when no other lead is there, which is recorded.
    Raises: UnknownCase, WrongState, NotAllowed, EarlierJudge, OwnTraffic, VerdictRefused, AnswerRefused, PostKeyReused.
    """
    case = await lock_case(w, case_id, actor.tenant_id)
    actor.require("lead", case.model_id)
    posted = await verdict_by_post_key(w, actor.id, judgement.post_key)
    if posted is not None:
        if posted.case_id != case.id or not posted.adjudicated:
            raise PostKeyReused
        return await repeat(w, posted, None)
    if case.state != "adjudicating":
        raise WrongState(state=case.state, action="adjudicate")
    if judgement.kind == "escalate":
        raise VerdictRefused(fault="a lead decides: there is nobody to escalate to.")
    return await _decide(w, actor, case, judgement, await w.now_us())


async def _decide(w: WriteSession, actor: Actor, case: Case, judgement: Judgement, now_us: int) -> Judged:
    terms = await terms_of(w, case.id)
    earlier = await verdicts_of(w, case.id)
    only_lead = await _only_lead(w, actor, case, terms, earlier)
    ruling = rule_on(
        judgement, model_answer=case.answer, blind=case.blind, schema=terms.schema, rationale=terms.rationale,
        pair=case.pair,
    )  # fmt: skip
    case, claim = await _seat(w, actor, case, now_us)
    verdict = make_verdict(case, terms, claim, ruling, judgement, earlier, now_us, only_lead=only_lead)
    await insert_verdict(w, verdict)
    await drop_draft(w, case.id, actor.id)
    if verdict.kind == "cannot_tell":
        return await _close(w, actor, case, verdict, now_us)
    return await _settle(w, actor, case, terms, verdict, now_us)


async def _only_lead(w: WriteSession, actor: Actor, case: Case, terms: Terms, earlier: list[Verdict]) -> bool:
    """Whether the lead judged the case before and nobody else could. Raises: EarlierJudge, OwnTraffic."""
    if terms.own_traffic_of(actor.id):
        raise OwnTraffic
    if all(verdict.person_id != actor.id for verdict in earlier):
        return False
    if await another_lead(w, case.id, actor.id):
        raise EarlierJudge
    return True


async def _seat(w: WriteSession, actor: Actor, case: Case, now_us: int) -> tuple[Case, Claim]:
    """A claim that begins and ends with the verdict: every verdict rests on one, with a token of its own."""
    claim = Claim(
        id=new_id(),
        case_id=case.id,
        round=case.round,
        slot=0,
        person_id=actor.id,
        token=case.next_token,
        claimed_us=case.changed_us,
        expires_us=now_us,
        ended_us=now_us,
        ended_why="verdict",
    )
    await insert_claim(w, claim)
    return msgspec.structs.replace(case, next_token=case.next_token + 1), claim


async def _settle(w: WriteSession, actor: Actor, case: Case, terms: Terms, verdict: Verdict, now_us: int) -> Judged:
    decided = Decided(
        answer=verdict.answer,
        status="unanswerable" if verdict.answer is None else "answered",
        verdicts=(verdict.id,),
    )
    done = await settle(w, case, terms, decided, action="adjudicate", by=actor.by, at_us=now_us, verdict=verdict.id)
    return _judged(verdict, done.case, done.outcome.revision)


async def _close(w: WriteSession, actor: Actor, case: Case, verdict: Verdict, now_us: int) -> Judged:
    prediction = await lock_prediction(w, case.prediction_id)
    closed = await advance(
        w, case, "adjudicate", Round(unanswered=True), by=actor.by, at_us=now_us, closed="cannot_tell",
        verdict=str(verdict.id),
    )  # fmt: skip
    await tell_when_decided(w, closed, prediction, by=actor.by, at_us=now_us)
    return _judged(verdict, closed, None)


def _judged(verdict: Verdict, case: Case, revision: int | None) -> Judged:
    return Judged(
        verdict_id=verdict.id,
        case_id=case.id,
        kind=verdict.kind,
        state=case.state,
        round=case.round,
        outcome_revision=revision,
    )
