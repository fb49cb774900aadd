"""Runs a simulation over the traffic log, and keeps its report under its digest.

A child process does it. It writes nothing but its progress before its one transaction at the end.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import msgspec

from flags.store import NO_FLAGS
from gateway.errors import UnknownModel
from gateway.plan import ModelPlan
from gateway.record.payloads import LocalObjects
from gateway.record.reader import SegmentReader
from gateway.store.events import append_event
from gateway.store.flags import states_at
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.models import releases_of
from gateway.store.schema.who import TenantRow
from gateway.store.segments import LedgerSegments
from gateway.store.serving import served_models
from review.learning.child import Task
from review.simulation.counting import Counter, Sides, count_part, counting_pool
from review.simulation.flagging import Where
from review.simulation.jobs import SimulateArgs, SimulationResult
from review.simulation.proposal import JUDGED, proposed_plan
from review.simulation.report import MEDIA_TYPE, Frame, People, Report, report_bytes, report_of
from review.simulation.tally import Context, Tally, add
from review.store.datasets import NewArtifact, keep_artifact
from review.store.jobs import find_job, note_progress
from review.store.queues import queues_in
from review.store.simulations import count_reviewers, key_names, pace_since, wrong_items
from review.traffic.query import TrafficReader, Window
from review.traffic.recorded import Wanted, count_rows, open_chunks

ALONE_BELOW = 50_000
"""Fewer decisions are counted by this process itself: another one takes a second to start."""


class SimulateTask(Task, frozen=True, kw_only=True):
    """What shall be simulated, and where everything is."""

    traffic: str
    artifacts: str
    tenant_id: UUID
    job_id: UUID


class _Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says about the task."""

    args: SimulateArgs
    by: str
    sides: Sides
    frame: Frame


async def simulate(ledger: Ledger, task: SimulateTask, *, alone_below: int = ALONE_BELOW) -> SimulationResult:
    """Count the traffic under both sides, and keep the report. Raises: UnknownModel, ProposalRefused."""
    traffic = TrafficReader(Path(task.traffic), LedgerSegments(ledger))
    async with ledger.reading() as r:
        subject = await _subject(r, task)
    population = await _population(traffic, subject, task.tenant_id)
    keep = min(1.0, subject.args.decisions_max / population) if population else 1.0
    sides = msgspec.structs.replace(subject.sides, wanted=msgspec.structs.replace(subject.sides.wanted, keep=keep))
    tally = await _counted(ledger, task, traffic, sides, alone=population < alone_below)
    async with ledger.reading() as r:
        keys = await key_names(r, [UUID(caller) for caller, _, _ in tally.callers])
    report = report_of(tally, msgspec.structs.replace(subject.frame, keep=keep, keys=keys))
    return await _register(ledger, task, subject, report)


async def _subject(r: ReadSession, task: SimulateTask) -> _Subject:
    job = await find_job(r, task.tenant_id, task.job_id)
    assert job is not None  # jobs are never removed
    args = msgspec.json.decode(job.args, type=SimulateArgs)
    plans = await served_models(r, task.tenant_id, args.model)
    if not plans:
        raise UnknownModel(model=args.model)
    plan = plans[0]
    releases = await releases_of(r, args.model_id)
    then = proposed_plan(plan, releases[0][0].number + 1, args.proposal)
    return _Subject(args=args, by=job.by, sides=await _sides(r, args, plan, then),
                    frame=await _frame(r, args, plan, then))  # fmt: skip


async def _sides(r: ReadSession, args: SimulateArgs, plan: ModelPlan, then: ModelPlan) -> Sides:
    now = NO_FLAGS.body if args.state_now == NO_FLAGS.digest else (await states_at(r, [args.state_now]))[args.state_now]
    return Sides(
        body_now=now,
        body_then=args.body_then.encode(),
        plan_now=plan,
        plan_then=then,
        now_us=await r.now_us(),
        versions={f"{args.model}@{row.number}": version for row, version in await releases_of(r, args.model_id)},
        where=Where(tenant=str(plan.tenant_id), model=args.model),
        wanted=Wanted(
            tenant=str(plan.tenant_id), model=args.model, since_us=args.since_us, until_us=args.until_us
        ),
        context=Context(
            has_classes=plan.champion.card.labels.kind == "choice",
            in_force=args.state_now,
            champion=plan.champion.name,
            wrong=await wrong_items(r, args.model_id, args.since_us),
        ),
    )  # fmt: skip


async def _frame(r: ReadSession, args: SimulateArgs, plan: ModelPlan, then: ModelPlan) -> Frame:
    was, shall = (msgspec.to_builtins(one.champion.policy) for one in (plan, then))
    tenant = await r.get_one(TenantRow, plan.tenant_id)
    queue = next(one for one in await queues_in(r, plan.tenant_id) if one.id == plan.queue.id)
    rules = queue.latest.rules
    each = {"single": 1, "majority": rules.required, "unanimous": rules.k}
    return Frame(
        model=args.model,
        proposal=args.proposal.words(),
        release=plan.champion.name,
        state_now=args.state_now,
        state_then=args.state_then,
        policy={name: (was[name], shall[name]) for name in JUDGED if was[name] != shall[name]},
        since_us=args.since_us,
        until_us=args.until_us,
        made_us=await r.now_us(),
        keep=1.0,
        people=People(
            queue=queue.name,
            reviewers=await count_reviewers(r, queue.id),
            verdicts_each=each[rules.agreement],
            pace=await pace_since(r, args.model_id, args.since_us),
        ),
        tenant=tenant.name,
        keys={},
    )


async def _population(traffic: TrafficReader, subject: _Subject, tenant_id: UUID) -> int:
    """How many decisions the window has."""
    args = subject.args
    window = Window(tenant=tenant_id, since_us=args.since_us, until_us=args.until_us, model=args.model)
    return sum(count.predictions for count in await traffic.counts(window, ()))


async def _counted(ledger: Ledger, task: SimulateTask, traffic: TrafficReader, sides: Sides, *, alone: bool) -> Tally:
    """The counts of the window, with its progress written down."""
    total, counter = Tally(), Counter(sides)
    async with traffic.decisions(sides.wanted.since_us, sides.wanted.until_us) as (parts, unsealed):
        rows = {part: await asyncio.to_thread(count_rows, part) for part in parts if part.exists()}
        add(total, await asyncio.to_thread(_count_open, counter, unsealed))
        done, all_rows = 0, max(1, sum(rows.values()))
        async for part, tally in _each_part(counter, sides, list(rows), alone=alone):
            add(total, tally)
            done += rows[part]
            await _tell(ledger, task.job_id, done / all_rows)
    return total


async def _each_part(
    counter: Counter, sides: Sides, parts: Sequence[Path], *, alone: bool
) -> AsyncIterator[tuple[Path, Tally]]:
    """The counts of each part, as they come."""
    if alone:
        for part in parts:
            yield part, await asyncio.to_thread(counter.count_part, part)
        return
    loop = asyncio.get_running_loop()

    with counting_pool(sides) as pool:

        async def count(part: Path) -> tuple[Path, Tally]:
            return part, await loop.run_in_executor(pool, count_part, part)

        for counted in asyncio.as_completed([count(part) for part in parts]):
            yield await counted


def _count_open(counter: Counter, unsealed: Sequence[SegmentReader]) -> Tally:
    total = Tally()
    for reader in unsealed:
        add(total, counter.count(open_chunks(reader.name, reader.frames(), counter.wanted)))
    return total


async def _tell(ledger: Ledger, job_id: UUID, progress: float) -> None:
    async with ledger.writing() as w:
        await note_progress(w, job_id, min(progress, 0.99), await w.now_us())


async def _register(
    ledger: Ledger, task: SimulateTask, subject: _Subject, report: Report
) -> SimulationResult:  # fmt: skip
    """Keep the report, and say so, in one transaction."""
    stored = await LocalObjects(Path(task.artifacts)).put(report_bytes(report))
    result = SimulationResult(
        report=stored.sha256,
        changed=report.changed,
        unknown=report.unknown_share,
        cases_now=report.now.load.cases_an_hour,
        cases_then=report.then.load.cases_an_hour,
    )
    kept = NewArtifact(**msgspec.structs.asdict(stored), kind="report", media_type=MEDIA_TYPE)
    async with ledger.writing() as w:
        at_us = await w.now_us()
        await keep_artifact(w, kept, at_us)
        data = {
            "simulation": str(task.job_id), "report": stored.sha256, "proposal": ", ".join(report.proposal),
            "changed": report.changed.value if report.changed else None,
        }  # fmt: skip
        await append_event(
            w, "simulation.done", f"model:{subject.args.model}", data, by=subject.by, tenant_id=task.tenant_id,
            at_us=at_us,
        )  # fmt: skip
    return result
