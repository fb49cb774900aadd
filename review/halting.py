"""Halting a model, and how many holds an hour to expect of it: from the traffic of the last hour, or else day."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.store.halts import halt as put_halt
from gateway.store.halts import lift as lift_halt
from gateway.store.ledger import Ledger
from gateway.store.models import known_model
from gateway.store.plans import plan_revision
from gateway.store.queues import open_holds
from gateway.store.schema.serves import HaltMode
from gateway.times import SECOND_US
from review.actors import Actor
from review.errors import ReviewError
from review.operators import operated_model
from review.traffic.query import TrafficCount, TrafficReader, Window

HOUR_S = 3_600.0
WINDOWS_S = (HOUR_S, 24 * HOUR_S)
"""What is looked at, the shorter one first; the longer one counts when the shorter one saw nothing."""


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
    items_per_hour: float
    holds_per_hour: float
    """Items that would wait for a person each hour while the model is halted in this mode."""
    holds_per_hour_now: float
    """The same as the traffic went in that window."""
    holds_waiting: int


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
        model = await known_model(r, tenant_id, name)
        waiting = await open_holds(r, model.id)
    for window_s in WINDOWS_S:
        since_us = now_us - round(window_s * SECOND_US)
        counts = await traffic.counts(Window(tenant=tenant_id, since_us=since_us, until_us=now_us, model=name), ())
        if counts:
            break
    return expected_of(name, mode, counts, window_s, waiting)


def expected_of(
    model: str, mode: HaltMode, counts: Sequence[TrafficCount], window_s: float, holds_waiting: int
) -> Expected:
    """The counts of a window as rates. Pure."""
    hours = window_s / HOUR_S
    items = sum(count.items for count in counts) / hours
    return Expected(
        model=model,
        mode=mode,
        window_s=window_s,
        requests_per_hour=sum(count.predictions for count in counts) / hours,
        items_per_hour=items,
        holds_per_hour=items if mode == "review" else 0.0,
        holds_per_hour_now=sum(count.held for count in counts) / hours,
        holds_waiting=holds_waiting,
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
