"""Random people, clocks and kills against the life of a case; the ledger's invariants hold after every step."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import insert, select

from gateway.errors import GatewayError
from gateway.store.cases import cancel_case, lock_holds, withdraw_case
from gateway.store.events import events_about
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.schema.predictions import DeliveryRow, PredictionRow
from gateway.store.schema.work import CaseRow, ClaimRow, OutcomeRow, OutcomeUndoneRow, OutcomeVerdictRow, VerdictRow
from review.actors import Actor
from review.desk.adjudicate import adjudicate
from review.desk.claim import claim_case, claim_next, renew_claim, return_claim
from review.desk.expire import escalate_stranded, expire_due
from review.desk.judge import judge
from review.desk.lapse import lapse_claims
from review.desk.life import WITH_PEOPLE, VerdictKind
from review.desk.ruling import Judgement
from review.desk.undo import reopen, undo
from review.errors import ReviewError
from review.store.outcomes import released_outcome
from tests.integration.desk.conftest import Clock, actor_of
from tests.worlds import Rules, World, build_world, hold

NAMES = ("ada", "ben", "cleo", "lena", "leo")
IMMUTABLE = (VerdictRow, OutcomeRow, OutcomeVerdictRow, OutcomeUndoneRow, DeliveryRow)
RULES = (
    Rules(undo_grace_s=20.0),
    Rules(agreement="majority", k=3, required=2),
    Rules(agreement="unanimous", k=2, lease_s=30.0),
)
TENANTS = itertools.count()
KILL = st.sampled_from([False] * 7 + [True])
Work = Callable[[WriteSession], Awaitable[object]]


class Killed(Exception):
    """The process ended before the commit."""


class Told(msgspec.Struct, frozen=True):
    """A case's event."""

    to: str
    version: int
    round: int
    before: str | None = msgspec.field(name="from", default=None)


class AnyOrder(RuleBasedStateMachine):
    """The desk, in whatever order."""

    ledger: Ledger
    runner: asyncio.Runner
    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        self.cases: list[UUID] = []
        self.predictions: list[UUID] = []
        self.claims: list[tuple[str, UUID, int]] = []
        self.posts = itertools.count()
        self.kept: dict[type[Any], dict[Any, Any]] = {}
        self.tenant = f"t{next(TENANTS)}"
        self.world: World | None = None

    # What people do ---------------------------------------------------------------------------------------------------

    @initialize(rules=st.sampled_from(RULES), items=st.integers(1, 2))
    def begin(self, rules: Rules, items: int) -> None:
        """A world of its own, so that each example starts afresh in the same database."""

        async def build(w: WriteSession) -> None:
            self.world = await build_world(
                w, tenant=self.tenant, rules=rules, leads=("lena", "leo"), now_us=self.clock.now
            )

        self._do(build, kill=False)
        self.open(items=items, kind="hold", blind=False)

    @precondition(lambda self: len(self.predictions) < 3)
    @rule(items=st.integers(1, 2), kind=st.sampled_from(["hold", "hold", "audit"]), blind=st.booleans())
    def open(self, items: int, kind: Any, blind: bool) -> None:
        """A prediction's items are put before people."""

        async def work(w: WriteSession) -> None:
            held = await hold(
                w, self._world, items=items, kind=kind, blind=blind, now_us=self.clock.now, deadline_s=200
            )
            self.predictions.append(held.prediction_id)
            self.cases += held.cases

        self._do(work, kill=False)

    @precondition(lambda self: self.cases)
    @rule(name=st.sampled_from(NAMES), count=st.integers(1, 3), data=st.data(), kill=KILL)
    def claim(self, name: str, count: int, data: st.DataObject, kill: bool) -> None:
        """Somebody claims the next cases, or one in particular."""

        async def work(w: WriteSession) -> list[Any]:
            if count < 3:
                return await claim_next(w, self._actor(name), count=count)
            return [await claim_case(w, self._actor(name), data.draw(st.sampled_from(self.cases)))]

        taken: list[Any] = self._do(work, kill=kill) or []
        self.claims += [(name, claim.id, claim.token) for claim in taken]

    @precondition(lambda self: self.cases)
    @rule(
        name=st.sampled_from(NAMES),
        kind=st.sampled_from(["approve", "correct", "correct", "unanswerable", "cannot_tell"]),
        answer=st.sampled_from(["negative", "positive"]),
        kill=KILL,
    )
    def work(self, name: str, kind: VerdictKind, answer: str, kill: bool) -> None:
        """Somebody claims the next case and judges it at once."""
        given = answer if kind == "correct" else None
        said = Judgement(kind=kind, answer=given, post_key=f"{self.tenant}-{next(self.posts)}")

        async def both(w: WriteSession) -> None:
            for claim in await claim_next(w, self._actor(name)):
                await judge(w, self._actor(name), claim.id, claim.token, said)

        self._do(both, kill=kill)

    @precondition(lambda self: self.claims)
    @rule(
        data=st.data(),
        kind=st.sampled_from(["approve", "correct", "correct", "correct", "unanswerable", "cannot_tell", "escalate"]),
        answer=st.sampled_from(["negative", "positive"]),
        kill=KILL,
    )
    def judge(self, data: st.DataObject, kind: VerdictKind, answer: str, kill: bool) -> None:
        """Somebody judges under a claim, live or lost; the same post once more changes nothing."""
        name, claim_id, token = data.draw(st.sampled_from(self.claims[-4:]))
        given = answer if kind == "correct" else None
        said = Judgement(kind=kind, answer=given, active_s=5.0, post_key=f"{self.tenant}-{next(self.posts)}")

        async def work(w: WriteSession) -> object:
            first = await judge(w, self._actor(name), claim_id, token, said)
            again = await judge(w, self._actor(name), claim_id, token, said)
            assert first == again
            return first

        self._do(work, kill=kill)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), renews=st.booleans(), kill=KILL)
    def renew_or_return(self, data: st.DataObject, renews: bool, kill: bool) -> None:
        """Somebody renews a claim or gives it back."""
        name, claim_id, _ = data.draw(st.sampled_from(self.claims[-4:]))
        act = renew_claim if renews else return_claim
        self._do(lambda w: act(w, self._actor(name), claim_id), kill=kill)

    @precondition(lambda self: self.cases)
    @rule(
        name=st.sampled_from(["lena", "leo", "ada"]),
        data=st.data(),
        kind=st.sampled_from(["correct", "unanswerable", "cannot_tell"]),
        kill=KILL,
    )
    def lead(self, name: str, data: st.DataObject, kind: VerdictKind, kill: bool) -> None:
        """Somebody, mostly a lead, does what a lead can do with a case as it is: undo, reopen, or decide."""
        case_id = data.draw(st.sampled_from(self.cases))
        given = "neutral" if kind == "correct" else None
        said = Judgement(kind=kind, answer=given, post_key=f"{self.tenant}-{next(self.posts)}")

        async def act(w: WriteSession) -> object:
            state = (await w.get_one(CaseRow, case_id)).state
            if state == "settled":
                return await undo(w, self._actor(name), case_id, "a slip")
            if state == "expired":
                return await reopen(w, self._actor(name), case_id, "still needed")
            return await adjudicate(w, self._actor(name), case_id, said)

        self._do(act, kill=kill)

    # What the worker and the caller do --------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1.0, 5.0, 15.0, 130.0]))
    def time_passes(self, seconds: float) -> None:
        """The clock goes on."""
        self.clock.pass_s(seconds)

    @precondition(lambda self: self.cases)
    @rule(act=st.sampled_from([lapse_claims, expire_due, escalate_stranded]), kill=KILL)
    def worker(self, act: Callable[[WriteSession, int], Awaitable[int]], kill: bool) -> None:
        """The worker does one of its rounds."""
        self._do(lambda w: act(w, self.clock.now), kill=kill)

    @precondition(lambda self: len(self.claims) > 2)
    @rule(data=st.data(), kill=KILL)
    def caller_leaves(self, data: st.DataObject, kill: bool) -> None:
        """The caller ends its interest: an open case is cancelled, one in somebody's hands goes on without it."""
        prediction_id = data.draw(st.sampled_from(self.predictions))
        by = {"by": "key:shop", "tenant_id": self._world.tenant_id, "now_us": self.clock.now}

        async def work(w: WriteSession) -> None:
            for case in await lock_holds(w, prediction_id):
                if case.state == "open":
                    await cancel_case(w, case, **by)  # type: ignore[arg-type]
                elif case.state in ("claimed", "partial"):
                    await withdraw_case(w, case, **by)  # type: ignore[arg-type]

        self._do(work, kill=kill)

    @precondition(lambda self: self.predictions)
    @rule(data=st.data(), provisional=st.booleans(), kill=KILL)
    def deliver(self, data: st.DataObject, provisional: bool, kill: bool) -> None:
        """The caller is told what has been released, or the model's own answer for the time being."""
        prediction_id = data.draw(st.sampled_from(self.predictions))

        async def work(w: WriteSession) -> None:
            told = await released_outcome(w, prediction_id, 1, self.clock.now)
            if told is not None or provisional:
                sent = (await w.execute(_of(DeliveryRow, prediction_id))).scalars().all()
                revision = told.revision if told else None
                await w.execute(insert(DeliveryRow).values(
                    prediction_id=prediction_id, n=len(sent) + 1, kind="answer" if told else "provisional",
                    outcome_revision=revision, response_digest="0" * 64, delivered_us=self.clock.now))  # fmt: skip

        self._do(work, kill=kill)

    # What holds after each step ---------------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        """LEDGER.md's invariants."""
        if self.world is not None:
            self.runner.run(self._check())

    async def _check(self) -> None:
        async with self.ledger.reading() as r:
            for case_id in self.cases:
                await self._check_case(r, case_id)
            for prediction_id in self.predictions:
                await self._check_prediction(r, prediction_id)
            await self._check_immutable(r)

    async def _check_case(self, r: ReadSession, case_id: UUID) -> None:
        case = await r.get_one(CaseRow, case_id)
        events = [msgspec.json.decode(event.data, type=Told) for event in await events_about(r, f"case:{case_id}")]
        events.sort(key=lambda told: told.version)
        assert [told.version for told in events] == list(range(1, case.version + 1)), "one event for each change"
        assert [told.before for told in events] == [None, *(told.to for told in events[:-1])], (
            "events follow each other"
        )
        assert (events[-1].to, events[-1].round) == (case.state, case.round), "replaying gives the present state"
        claims = list((await r.execute(select(ClaimRow).where(
            ClaimRow.case_id == case_id, ClaimRow.ended_us.is_(None)))).scalars())  # fmt: skip
        verdicts = list((await r.execute(select(VerdictRow).where(
            VerdictRow.case_id == case_id, VerdictRow.round == case.round))).scalars())  # fmt: skip
        people = [verdict.person_id for verdict in verdicts if not verdict.adjudicated]
        assert len(people) == len(set(people)), "one verdict a person a round"
        if case.state in WITH_PEOPLE:
            assert bool(verdicts) == (case.state in ("partial", "adjudicating"))
            assert bool(claims) == (case.state == "claimed") or case.state == "partial"
        else:
            assert not claims, "no claim outlives the decision"
        settled = (await r.execute(select(OutcomeRow).where(
            OutcomeRow.case_id == case_id, OutcomeRow.round == case.round))).scalars().all()  # fmt: skip
        assert len(settled) == (case.state == "settled"), "one outcome a round"

    async def _check_prediction(self, r: ReadSession, prediction_id: UUID) -> None:
        for item in (1, 2):
            outcomes = (await r.execute(_of(OutcomeRow, prediction_id).where(OutcomeRow.item == item))).scalars()
            revisions = sorted(outcome.revision for outcome in outcomes)
            assert revisions == list(range(1, len(revisions) + 1)), "outcome revisions are dense"
        for delivery in (await r.execute(_of(DeliveryRow, prediction_id))).scalars():
            if delivery.outcome_revision is not None:
                told = await r.get(OutcomeRow, (prediction_id, 1, delivery.outcome_revision))
                assert told is not None
                assert told.release_after_us <= delivery.delivered_us, "what was told had been released"
        events = await events_about(r, f"prediction:{prediction_id}")
        revised = [bytes(event.data) for event in events if event.type == "prediction.revised"]
        assert len(revised) == len(set(revised)), "prediction.revised once a revision"
        prediction = await r.get_one(PredictionRow, prediction_id)
        cases = (await r.execute(_of(CaseRow, prediction_id))).scalars()
        if prediction.open:
            assert any(case.state in (*WITH_PEOPLE, "closed") for case in cases), "joined only while undecided"

    async def _check_immutable(self, r: ReadSession) -> None:
        for table in IMMUTABLE:
            columns = table.__table__.columns
            keys = [columns.keys().index(column.name) for column in table.__table__.primary_key]
            rows = {tuple(row[key] for key in keys): tuple(row) for row in await r.execute(select(*columns))}
            before = self.kept.setdefault(table, {})
            assert before.items() <= rows.items(), f"{table.__tablename__} is immutable"
            self.kept[table] = rows

    # ------------------------------------------------------------------------------------------------------------------

    @property
    def _world(self) -> World:
        assert self.world is not None
        return self.world

    def _actor(self, name: str) -> Actor:
        return actor_of(self._world, name)

    def _do(self, work: Work, *, kill: bool) -> Any:
        """What the work returned; nothing is left of it when it was refused or its process killed."""

        async def transaction() -> object:
            async with self.ledger.writing() as w:
                result = await work(w)
                if kill:
                    raise Killed
            return result

        with suppress(ReviewError, GatewayError, Killed):
            return self.runner.run(transaction())
        return None


def _of(table: type[Any], prediction_id: UUID) -> Any:
    return select(table).where(table.prediction_id == prediction_id)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """An event loop that lives as long as the test."""
    with asyncio.Runner() as running:
        yield running


def test_no_order_of_people_clocks_and_kills_breaks_the_ledger(ledger_url: str, runner: asyncio.Runner) -> None:
    """After every step of every run: events replay to the present, revisions are dense, nothing immutable changed."""
    clock = Clock()
    ledger = Ledger.open(ledger_url, clock=clock)
    machine = type("Machine", (AnyOrder,), {"ledger": ledger, "runner": runner, "clock": clock})
    chosen = settings(
        max_examples=16,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=(Phase.generate,),  # a failure is shown as it came: shrinking one takes minutes on real databases
    )
    try:
        run_state_machine_as_test(machine, settings=chosen)
    finally:
        runner.run(ledger.close())
