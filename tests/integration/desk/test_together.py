"""Several people at once: racing for one case, agreeing at the same instant, leases that run out, undoing."""

import asyncio
import contextlib
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from gateway.ids import new_id
from gateway.store.events import events_about
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.schema.learning import PrecedentRow
from gateway.store.schema.predictions import DeliveryRow, PayloadRow, PredictionRow
from gateway.store.schema.serves import ReleaseRow
from gateway.store.schema.who import PersonRow
from gateway.store.schema.work import CaseRow, QueueMemberRow, VerdictRow
from review.desk.adjudicate import adjudicate
from review.desk.claim import claim_case, claim_next, renew_claim, return_claim
from review.desk.erase import erase_case
from review.desk.expire import escalate_stranded, expire_due, supersede_disagreements
from review.desk.judge import Judged, judge, post_verdict
from review.desk.lapse import lapse_claims
from review.desk.ruling import Judgement
from review.desk.undo import reopen, undo
from review.errors import (
    AlreadyJudged,
    ClaimEnded,
    ClaimLost,
    EarlierJudge,
    LegalHold,
    NotAMember,
    OwnTraffic,
    PostKeyReused,
    TooLateToUndo,
)
from review.store.cases import any_disagreement, any_to_end, read_case
from review.store.claims import Claim, any_expired
from review.store.outcomes import outcomes_of, released_outcome
from review.store.verdicts import verdicts_of
from tests.integration.desk.conftest import Clock, Desk, actor_of
from tests.worlds import Held, Rules, add_key, build_world, hold, sha256


class Killed(Exception):
    """The process ended before the commit."""


MAJORITY = Rules(agreement="majority", k=3, required=2)


async def make(ledger: Ledger, clock: Clock, rules: Rules, *, four_eyes: bool = False) -> Desk:
    """A desk whose queue has these rules."""
    async with ledger.writing() as w:
        return Desk(ledger, clock, await build_world(w, rules=rules, four_eyes=four_eyes))


async def put(desk: Desk, **more: object) -> Held:
    """A held prediction."""
    async with desk.ledger.writing() as w:
        return await hold(w, desk.world, **more)  # type: ignore[arg-type]


async def take(desk: Desk, name: str, case_id: UUID) -> Claim:
    """A claim on the case."""
    async with desk.ledger.writing() as w:
        return await claim_case(w, desk.actor(name), case_id)


async def say(desk: Desk, name: str, claim: Claim, answer: str | None = None, kind: str = "correct") -> Judged:
    """Judge under a claim."""
    given = answer if kind == "correct" else None
    said = Judgement(kind=kind, answer=given, active_s=900.0, post_key=f"{name}-{claim.id}")  # type: ignore[arg-type]
    return await post_verdict(desk.ledger, desk.actor(name), claim.id, claim.token, said)


async def judged(desk: Desk, name: str, case_id: UUID, answer: str | None = None, kind: str = "correct") -> Judged:
    """Claim and judge."""
    return await say(desk, name, await take(desk, name, case_id), answer, kind)


async def public_events(desk: Desk, prediction_id: UUID) -> list[str]:
    """What the caller's side was told, in order."""
    async with desk.ledger.reading() as r:
        return [event.type for event in await events_about(r, f"prediction:{prediction_id}")]


async def deliver(desk: Desk, prediction_id: UUID, kind: str, n: int = 1, revision: int | None = None) -> None:
    """Note what the caller was told."""
    async with desk.ledger.writing() as w:
        await w.execute(insert(DeliveryRow).values(
            prediction_id=prediction_id, n=n, kind=kind, outcome_revision=revision, response_digest=sha256("body"),
            delivered_us=desk.clock.now))  # fmt: skip


async def test_two_reviewers_racing_get_different_cases(desk: Desk) -> None:
    """Ten cases and two people who take them at the same time: every case goes to one of them, none to both."""
    for _ in range(10):
        await put(desk)

    async def claims_of(name: str) -> list[UUID]:
        taken: list[UUID] = []
        while True:
            async with desk.ledger.writing() as w:
                claims = await claim_next(w, desk.actor(name), count=2)
            if not claims:
                return taken
            taken += [claim.case_id for claim in claims]

    ada, ben = await asyncio.gather(claims_of("ada"), claims_of("ben"))
    assert (len(ada) + len(ben), len({*ada, *ben})) == (10, 10)


async def test_one_of_two_who_want_the_same_case_is_refused(desk: Desk) -> None:
    """The slot goes to one of them; the other is told so, and nothing of hers is written."""
    (case_id,) = (await put(desk)).cases
    both = await asyncio.gather(take(desk, "ada", case_id), take(desk, "ben", case_id), return_exceptions=True)
    assert sorted(type(one).__name__ for one in both) == ["Claim", "NoFreeSlot"]


async def test_three_verdicts_at_the_same_instant_make_one_outcome(ledger: Ledger, clock: Clock) -> None:
    """Three people post at once on a two-of-three queue: one outcome, one settlement, the late one is told."""
    desk = await make(ledger, clock, MAJORITY)
    held = await put(desk)
    claims = {name: await take(desk, name, held.cases[0]) for name in ("ada", "ben", "cleo")}
    posted = await asyncio.gather(
        *(say(desk, name, claim, "positive") for name, claim in claims.items()), return_exceptions=True
    )
    states = sorted(one.state if isinstance(one, Judged) else type(one).__name__ for one in posted)
    assert states == ["ClaimLost", "partial", "settled"]
    async with ledger.reading() as r:
        assert [one.revision for one in await outcomes_of(r, held.prediction_id, 1)] == [1]
        assert len(await verdicts_of(r, held.cases[0])) == 2
    assert await public_events(desk, held.prediction_id) == ["prediction.held", "prediction.settled"]


async def test_two_items_that_settle_at_the_same_instant_settle_the_prediction_once(desk: Desk) -> None:
    """The prediction is settled by whichever of its items comes last, exactly once, and retries join it no more."""
    held = await put(desk, items=2)
    ada, ben = await take(desk, "ada", held.cases[0]), await take(desk, "ben", held.cases[1])
    await asyncio.gather(say(desk, "ada", ada, "positive"), say(desk, "ben", ben, "neutral"))
    assert await public_events(desk, held.prediction_id) == ["prediction.held", "prediction.settled"]
    async with desk.ledger.reading() as r:
        assert not (await r.get_one(PredictionRow, held.prediction_id)).open


async def test_a_lease_that_expires_during_judgement_keeps_the_verdict_as_a_draft(desk: Desk) -> None:
    """The verdict comes after the lease: 409; somebody else judges; the first token never counts again."""
    (case_id,) = (await put(desk)).cases
    first = await take(desk, "ada", case_id)
    desk.clock.pass_s(120)
    with pytest.raises(ClaimLost):
        await say(desk, "ada", first, "neutral")
    second = await take(desk, "ben", case_id)
    assert second.token > first.token
    async with desk.ledger.writing() as w:
        assert await lapse_claims(w, desk.clock.now) == 0, "claiming had ended the lapsed lease already"
    with pytest.raises(ClaimEnded):
        async with desk.ledger.writing() as w:
            await renew_claim(w, desk.actor("ada"), first.id)
    assert (await say(desk, "ben", second, "positive")).state == "settled"
    async with desk.ledger.reading() as r:
        events = [event.type for event in await events_about(r, f"case:{case_id}")]
    assert events == ["case.opened", "case.claimed", "case.lapsed", "case.claimed", "case.settled"]


async def test_the_worker_lapses_what_nobody_renewed(desk: Desk) -> None:
    """A renewed claim lives on; one left alone is ended by the worker, and its case is open again."""
    one, other = (await put(desk)).cases[0], (await put(desk)).cases[0]
    kept, left = await take(desk, "ada", one), await take(desk, "ben", other)
    desk.clock.pass_s(100)
    async with desk.ledger.writing() as w:
        await renew_claim(w, desk.actor("ada"), kept.id)
    assert not await any_expired(desk.ledger, desk.clock.now)
    desk.clock.pass_s(100)
    assert await any_expired(desk.ledger, desk.clock.now)
    async with desk.ledger.writing() as w:
        assert await lapse_claims(w, desk.clock.now) == 1
    assert not await any_expired(desk.ledger, desk.clock.now)
    async with desk.ledger.reading() as r:
        states = [(await read_case(r, case, desk.world.tenant_id)).state for case in (one, other)]
    assert states == ["claimed", "open"]
    assert left.ended_us is None


async def test_active_seconds_never_exceed_the_claim(desk: Desk) -> None:
    """Somebody who reports fifteen minutes after ten seconds is counted ten seconds."""
    (case_id,) = (await put(desk)).cases
    claim = await take(desk, "ada", case_id)
    desk.clock.pass_s(10)
    await say(desk, "ada", claim, "positive")
    async with desk.ledger.reading() as r:
        assert [verdict.active_s for verdict in await verdicts_of(r, case_id)] == [10.0]


async def test_one_verdict_a_person_a_round(ledger: Ledger, clock: Clock) -> None:
    """Who has judged may not claim the case again in that round, by name or by turn."""
    desk = await make(ledger, clock, MAJORITY)
    (case_id,) = (await put(desk)).cases
    assert (await judged(desk, "ada", case_id, "positive")).state == "partial"
    with pytest.raises(AlreadyJudged):
        await take(desk, "ada", case_id)
    async with ledger.writing() as w:
        assert await claim_next(w, desk.actor("ada"), count=3) == []
        assert [claim.case_id for claim in await claim_next(w, desk.actor("ben"), count=3)] == [case_id]


async def test_a_post_key_belongs_to_one_verdict(desk: Desk) -> None:
    """The same post again gives the same result; the same key for another claim is refused."""
    first, second = (await put(desk)).cases[0], (await put(desk)).cases[0]
    one, other = await take(desk, "ada", first), await take(desk, "ada", second)
    said = Judgement(kind="approve", post_key="same")
    results = [await post_verdict(desk.ledger, desk.actor("ada"), one.id, one.token, said) for _ in range(2)]
    assert results[0] == results[1]
    with pytest.raises(PostKeyReused):
        await post_verdict(desk.ledger, desk.actor("ada"), other.id, other.token, said)


async def test_nobody_judges_her_own_traffic_where_four_eyes_are_asked(ledger: Ledger, clock: Clock) -> None:
    """A case from Ada's own key never comes to her, and is refused when she asks for it."""
    desk = await make(ledger, clock, Rules(), four_eyes=True)
    async with ledger.writing() as w:
        key_id = await add_key(w, desk.world.tenant_id, "adas", person_id=desk.world.people["ada"])
    (case_id,) = (await put(desk, key_id=key_id)).cases
    async with ledger.writing() as w:
        assert await claim_next(w, desk.actor("ada")) == []
    with pytest.raises(OwnTraffic):
        await take(desk, "ada", case_id)
    assert (await judged(desk, "ben", case_id, "positive")).state == "settled"


async def test_only_members_claim(desk: Desk) -> None:
    """Who is not in the queue gets nothing from it."""
    (case_id,) = (await put(desk)).cases
    async with desk.ledger.writing() as w:
        member = await w.get_one(QueueMemberRow, (desk.world.queue_id, desk.world.people["ada"]))
        await w.delete(member)
    with pytest.raises(NotAMember):
        await take(desk, "ada", case_id)


async def test_the_line_is_by_priority_then_by_deadline(desk: Desk) -> None:
    """Whoever waits comes first, then what is due first; a case given back keeps its place."""
    audit = (await put(desk, kind="audit", deadline_s=10)).cases[0]
    later = (await put(desk, deadline_s=500)).cases[0]
    sooner = (await put(desk, deadline_s=100)).cases[0]
    waiting = (await put(desk, priority=10, deadline_s=900)).cases[0]
    async with desk.ledger.writing() as w:
        claims = await claim_next(w, desk.actor("ada"), count=3)
        await return_claim(w, desk.actor("ada"), claims[0].id)
    assert [claim.case_id for claim in claims] == [waiting, sooner, later]
    async with desk.ledger.writing() as w:
        rest = await claim_next(w, desk.actor("ben"), count=3)
    assert [claim.case_id for claim in rest] == [waiting, audit]


async def test_escalation_and_conflict_go_to_a_lead(ledger: Ledger, clock: Clock) -> None:
    """Three different answers, or one call for help, put the case before a lead, first in line; the lead decides."""
    desk = await make(ledger, clock, MAJORITY)
    torn, asked = (await put(desk)).cases[0], (await put(desk)).cases[0]
    for name, answer in (("ada", "negative"), ("ben", "neutral")):
        assert (await judged(desk, name, torn, answer)).state == "partial"
    assert (await judged(desk, "cleo", torn, "positive")).state == "adjudicating"
    assert (await judged(desk, "ada", asked, kind="escalate")).state == "adjudicating"
    said = Judgement(kind="correct", answer="neutral", post_key="lead")
    async with ledger.writing() as w:
        decided = await adjudicate(w, desk.actor("lena"), torn, said)
        assert await adjudicate(w, desk.actor("lena"), torn, said) == decided
    async with ledger.reading() as r:
        assert (await read_case(r, asked, desk.world.tenant_id)).priority == 0
        (outcome,) = await outcomes_of(r, (await read_case(r, torn, desk.world.tenant_id)).prediction_id, 1)
    assert (decided.state, outcome.source, outcome.answer) == ("settled", "adjudication", "neutral")


async def test_a_lead_who_judged_before_decides_only_when_alone(ledger: Ledger, clock: Clock) -> None:
    """With another lead there she is refused; as the only one she may, and that is recorded."""
    async with ledger.writing() as w:
        world = await build_world(w, leads=("lena", "leo"))
    desk = Desk(ledger, clock, world)
    (case_id,) = (await put(desk)).cases
    assert (await judged(desk, "lena", case_id, kind="escalate")).state == "adjudicating"
    said = Judgement(kind="correct", answer="neutral", post_key="lead")
    with pytest.raises(EarlierJudge):
        async with ledger.writing() as w:
            await adjudicate(w, desk.actor("lena"), case_id, said)
    async with ledger.writing() as w:
        (await w.get_one(PersonRow, world.people["leo"])).disabled_us = clock.now
    async with ledger.writing() as w:
        assert (await adjudicate(w, desk.actor("lena"), case_id, said)).state == "settled"
    async with ledger.reading() as r:
        recorded = (await r.execute(select(VerdictRow.only_lead).where(VerdictRow.adjudicated))).scalars().all()
    assert recorded == [True]


async def test_a_lead_who_cannot_tell_closes_the_case_without_an_outcome(desk: Desk) -> None:
    """The case is closed as cannot_tell, no outcome is made, and the prediction is told to be settled."""
    held = await put(desk)
    await judged(desk, "ada", held.cases[0], kind="escalate")
    async with desk.ledger.writing() as w:
        closed = await adjudicate(w, desk.actor("lena"), held.cases[0], Judgement(kind="cannot_tell", post_key="l"))
    async with desk.ledger.reading() as r:
        case = await read_case(r, held.cases[0], desk.world.tenant_id)
        assert await outcomes_of(r, held.prediction_id, 1) == []
    assert (closed.state, case.closed_reason) == ("closed", "cannot_tell")
    assert await public_events(desk, held.prediction_id) == ["prediction.held", "prediction.settled"]


async def test_somebody_who_cannot_tell_passes_it_on_and_two_ask_a_lead(desk: Desk) -> None:
    """The slot is free again for another person; the second who cannot tell puts it before a lead."""
    (case_id,) = (await put(desk)).cases
    assert (await judged(desk, "ada", case_id, kind="cannot_tell")).state == "partial"
    assert (await judged(desk, "ben", case_id, kind="cannot_tell")).state == "adjudicating"


async def test_a_case_that_nobody_is_left_to_judge_goes_to_a_lead(ledger: Ledger, clock: Clock) -> None:
    """When the others leave the queue after the first verdict, the worker puts the case before a lead."""
    desk = await make(ledger, clock, MAJORITY)
    (case_id,) = (await put(desk)).cases
    await judged(desk, "ada", case_id, "positive")
    async with ledger.writing() as w:
        assert await escalate_stranded(w, clock.now) == 0
        for name in ("ben", "cleo", "lena"):
            await w.delete(await w.get_one(QueueMemberRow, (desk.world.queue_id, desk.world.people[name])))
    assert await any_to_end(ledger, clock.now)
    async with ledger.writing() as w:
        assert await escalate_stranded(w, clock.now) == 1
    assert not await any_to_end(ledger, clock.now)
    async with ledger.reading() as r:
        assert (await read_case(r, case_id, desk.world.tenant_id)).state == "adjudicating"


async def test_undo_after_delivery_revises_once_the_answer_differs(desk: Desk) -> None:
    """The caller was told revision 1; it is undone and judged anew: one `prediction.revised`, for revision 2."""
    held = await put(desk)
    await judged(desk, "ada", held.cases[0], "positive")
    await deliver(desk, held.prediction_id, "answer", revision=1)
    desk.clock.pass_s(59)
    async with desk.ledger.writing() as w:
        await undo(w, desk.actor("ada"), held.cases[0], "pressed the wrong key")
    async with desk.ledger.reading() as r:
        told = await released_outcome(r, held.prediction_id, 1, desk.clock.now)
        assert told is not None
        assert told.revision == 1, "what was told stays the truth until something newer is released"
        assert not (await r.get_one(PredictionRow, held.prediction_id)).open, "a retry is told what was told"
    again = await judged(desk, "ada", held.cases[0], "neutral")
    assert (again.round, again.outcome_revision) == (2, 2)
    async with desk.ledger.reading() as r:
        first, second = await verdicts_of(r, held.cases[0])
        assert second.undoes_id == first.id
    events = await public_events(desk, held.prediction_id)
    assert events.count("prediction.revised") == 1


async def test_undo_before_release_leaves_nothing_to_tell(ledger: Ledger, clock: Clock) -> None:
    """An outcome that is undone within its grace is never released, however much time passes."""
    desk = await make(ledger, clock, Rules(undo_grace_s=300.0))
    held = await put(desk)
    await judged(desk, "ada", held.cases[0], "positive")
    clock.pass_s(200)
    async with ledger.writing() as w:
        await undo(w, desk.actor("ada"), held.cases[0], "second thoughts")
    clock.pass_s(1000)
    async with ledger.reading() as r:
        assert await released_outcome(r, held.prediction_id, 1, clock.now) is None
        assert (await r.get_one(PredictionRow, held.prediction_id)).open, "nothing was told: a retry joins again"


async def test_after_a_minute_only_a_lead_undoes(desk: Desk) -> None:
    """The reviewer is told that it is too late; a lead may, and the precedent goes with the outcome."""
    held = await put(desk)
    await judged(desk, "ada", held.cases[0], "positive")
    async with desk.ledger.writing() as w:
        await _precedent(w, desk, held)
    desk.clock.pass_s(61)
    with pytest.raises(TooLateToUndo):
        async with desk.ledger.writing() as w:
            await undo(w, desk.actor("ada"), held.cases[0], "too late")
    async with desk.ledger.writing() as w:
        await undo(w, desk.actor("lena"), held.cases[0], "against the guideline")
    async with desk.ledger.reading() as r:
        withdrawn = (await r.execute(select(PrecedentRow.withdrawn_us))).scalar_one()
    assert withdrawn == desk.clock.now


async def _precedent(w: WriteSession, desk: Desk, held: Held) -> None:
    release = await w.get_one(ReleaseRow, desk.world.release_id)
    await w.execute(insert(PrecedentRow).values(
        tenant_id=desk.world.tenant_id, model_id=desk.world.model_id, label_schema=release.label_schema,
        input_digest=sha256("input"), answer='"positive"', prediction_id=held.prediction_id, item=1,
        outcome_revision=1, expires_us=desk.clock.now * 2, withdrawn_us=None, learned_in=None))  # fmt: skip


async def test_an_expired_case_is_reopened_by_a_lead_and_revises_the_fallback(desk: Desk) -> None:
    """Past due with nobody on it a case expires; reopened, its outcome revises the provisional answer."""
    held = await put(desk, deadline_s=100)
    claim = await take(desk, "ada", held.cases[0])
    desk.clock.pass_s(101)
    assert not await any_to_end(desk.ledger, desk.clock.now)
    async with desk.ledger.writing() as w:
        assert await expire_due(w, desk.clock.now) == 0, "somebody has it in hand"
    desk.clock.pass_s(100)
    assert await any_to_end(desk.ledger, desk.clock.now)
    async with desk.ledger.writing() as w:
        assert await expire_due(w, desk.clock.now) == 1
    await deliver(desk, held.prediction_id, "provisional")
    with pytest.raises(ClaimLost):
        await say(desk, "ada", claim, "positive")
    async with desk.ledger.writing() as w:
        case = await reopen(w, desk.actor("lena"), held.cases[0], "the customer asked")
    assert (case.round, case.due_us > desk.clock.now) == (2, True)
    await judged(desk, "ben", held.cases[0], "positive")
    assert (await public_events(desk, held.prediction_id))[-2:].count("prediction.revised") == 1


async def test_a_killed_reviewer_process_leaves_nothing_behind(desk: Desk) -> None:
    """A session dropped before its commit: the verdict is not there, the claim is, and the same post counts once."""
    (case_id,) = (await put(desk)).cases
    claim = await take(desk, "ada", case_id)
    said = Judgement(kind="correct", answer="positive", post_key="once")
    with contextlib.suppress(Killed):
        async with desk.ledger.writing() as w:
            assert isinstance(await judge(w, desk.actor("ada"), claim.id, claim.token, said), Judged)
            raise Killed
    async with desk.ledger.reading() as r:
        assert (await r.get_one(CaseRow, case_id)).state == "claimed"
        assert await verdicts_of(r, case_id) == []
    assert (await post_verdict(desk.ledger, desk.actor("ada"), claim.id, claim.token, said)).state == "settled"


async def test_an_erased_case_keeps_its_digest_and_nothing_else(desk: Desk) -> None:
    """An admin erases a settled case: it is closed, its payload marked, the digest stays; a legal hold forbids it."""
    held, kept = await put(desk), await put(desk)
    await judged(desk, "ada", held.cases[0], "positive")
    admin = actor_of(desk.world, "lena", roles=frozenset({"admin"}))
    async with desk.ledger.writing() as w:
        (await _payload(w, kept)).legal_hold = True
    async with desk.ledger.writing() as w:
        erased = await erase_case(w, admin, held.cases[0], "the customer asked")
    with pytest.raises(LegalHold):
        async with desk.ledger.writing() as w:
            await erase_case(w, admin, kept.cases[0], "the customer asked")
    async with desk.ledger.reading() as r:
        payload = await _payload(r, held)
    assert (erased.state, erased.closed_reason) == ("closed", "erased")
    assert (payload.erased_us, len(payload.sha256)) == (desk.clock.now, 64)


async def _payload(r: ReadSession, held: Held) -> PayloadRow:
    prediction = await r.get_one(PredictionRow, held.prediction_id)
    return await r.get_one(PayloadRow, prediction.input_payload_id)


async def test_disagreements_end_with_their_trial_and_holds_do_not(desk: Desk) -> None:
    """Cases of kind disagreement with the candidate are closed, in somebody's hands too; a hold goes on."""
    case_id, other = (await put(desk, kind="disagreement")).cases[0], (await put(desk)).cases[0]
    async with desk.ledger.writing() as w:
        for each in (case_id, other):
            (await w.get_one(CaseRow, each)).rule = f"trial:{new_id()}"
    await take(desk, "ada", case_id)
    assert await any_disagreement(desk.ledger)
    async with desk.ledger.writing() as w:
        assert await supersede_disagreements(w, desk.clock.now) == 1
    assert not await any_disagreement(desk.ledger)
    async with desk.ledger.reading() as r:
        closed, alive = [await read_case(r, each, desk.world.tenant_id) for each in (case_id, other)]
    assert (closed.state, closed.closed_reason, alive.state) == ("closed", "superseded", "open")
