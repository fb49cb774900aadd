"""Halting a model, and what to expect of it for the queue: from the traffic of the last hour, or else day."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.errors import UnknownModel
from gateway.plan import ModelPlan
from gateway.store.halts import halt as put_halt
from gateway.store.halts import lift as lift_halt
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.plans import plan_revision
from gateway.store.schema.serves import HaltMode
from gateway.store.serving import served_models
from gateway.times import SECOND_US
from review.actors import Actor
from review.errors import ReviewError
from review.load import HOUR_S, Desk, Flow, Load, load_of, told
from review.operators import operated_model
from review.store.reviewing import count_reviewers, judging_times, verdicts_needed
from review.traffic.query import TrafficCount, TrafficReader, Window

WINDOWS_S = (HOUR_S, 24 * HOUR_S)
"""What is looked at, the shorter one first; the longer one counts when the shorter one saw nothing."""
VERDICTS = 500
"""Of how many of a model's latest verdicts the time is taken."""


class WhyMissing(ReviewError):
    """Say why: a halt and its lifting are recorded with their reason."""

    status = 400
    code = "why-missing"


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a halt would mean, going by the traffic of the last `window_s` seconds."""

    model: str
    mode: HaltMode
    window_s: float
    requests_per_hour: float
    automated_per_hour: float
    """Requests that no person was needed for."""
    items_per_hour: float
    holds_per_hour: float
    """Items that would wait for a person each hour while the model is halted in this mode."""
    holds_per_hour_now: float
    """The same as the traffic went in that window."""
    holds_waiting: int
    desk: Desk
    """The people who would judge them, and how much may wait."""
    load: Load
    """What the holds an hour would mean to those people."""
    said: tuple[str, ...]
    """All of this in plain words."""


class Halted(msgspec.Struct, frozen=True, kw_only=True):
    """A model after a halt or after its lifting; without a mode it is not halted."""

    model: str
    mode: HaltMode | None
    by: str
    why: str
    plan_revision: int
    """A gateway whose plan has this revision, or a later one, follows it."""


async def expect(
    ledger: Ledger, traffic: TrafficReader, tenant_id: UUID, name: str, mode: HaltMode, now_us: int
) -> Expected:
    """What a halt of the model would mean; no rates for one that nobody called within a day. Raises: UnknownModel."""
    async with ledger.reading() as r:
        plan = next(iter(await served_models(r, tenant_id, name)), None)
        if plan is None:
            raise UnknownModel(model=name[:80])
        desk = await _desk(r, plan)
    for window_s in WINDOWS_S:
        since_us = now_us - round(window_s * SECOND_US)
        window = Window(tenant=tenant_id, since_us=since_us, until_us=now_us, model=name)
        counts = await traffic.counts(window, ("path",))
        if counts:
            break
    return expected_of(name, mode, flow_of(counts, window_s), desk)


def flow_of(counts: Sequence[TrafficCount], window_s: float) -> Flow:
    """The counts of a window, by path, as rates. Pure."""
    hours = window_s / HOUR_S
    return Flow(
        window_s=window_s,
        requests=sum(count.predictions for count in counts) / hours,
        automated=sum(count.predictions for count in counts if count.path != "review") / hours,
        items=sum(count.items for count in counts) / hours,
        held=sum(count.held for count in counts) / hours,
    )


def expected_of(model: str, mode: HaltMode, flow: Flow, desk: Desk) -> Expected:
    """What a halt means for a model with this traffic and these people. Pure."""
    holds = flow.items if mode == "review" else 0.0
    return Expected(
        model=model,
        mode=mode,
        window_s=flow.window_s,
        requests_per_hour=flow.requests,
        automated_per_hour=flow.automated,
        items_per_hour=flow.items,
        holds_per_hour=holds,
        holds_per_hour_now=flow.held,
        holds_waiting=desk.waiting,
        desk=desk,
        load=load_of(holds, desk),
        said=told(flow, desk, holds_all=mode == "review"),
    )


async def _desk(r: ReadSession, plan: ModelPlan) -> Desk:
    judged, judging_s = await judging_times(r, plan.id, VERDICTS)
    policy = plan.champion.policy
    return Desk(
        waiting=plan.open_holds,
        reviewers=await count_reviewers(r, plan.tenant_id, plan.queue.id, plan.id),
        judging_s=judging_s,
        judged=judged,
        verdicts=await verdicts_needed(r, plan.queue.revision_id),
        room=policy.max_open_holds,
        overflow=policy.overflow,
    )


async def halt_model(ledger: Ledger, actor: Actor, name: str, mode: HaltMode, why: str) -> Halted:
    """Halt a model, or change the mode of its halt. Raises: UnknownModel, NotAllowed, WhyMissing."""
    _require(why)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        await put_halt(w, model, mode, by=actor.by, why=why)
        revision = await plan_revision(w)
    return Halted(model=name, mode=mode, by=actor.by, why=why, plan_revision=revision)


async def lift_model(ledger: Ledger, actor: Actor, name: str, why: str) -> Halted:
    """Lift a model's halt. Raises: UnknownModel, NotAllowed, NotHalted, WhyMissing."""
    _require(why)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        await lift_halt(w, model, by=actor.by, why=why)
        revision = await plan_revision(w)
    return Halted(model=name, mode=None, by=actor.by, why=why, plan_revision=revision)


def _require(why: str) -> None:
    if not why.strip():
        raise WhyMissing
