"""The jobs of the worker, each a function of the opened parts and the time."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from flags.unleash.place import Place
from gateway.inference.upstreams import AllowedUpstreams
from gateway.record.payloads import LocalObjects, ObjectStore
from gateway.store.events import any_unpositioned, position_events
from gateway.store.idempotency import drop_expired_keys
from gateway.store.ledger import Ledger
from gateway.store.segments import LedgerCursors, LedgerSegments
from gateway.times import after_us
from review import audits, disagreements
from review.desk.expire import escalate_stranded, expire_due, supersede_disagreements
from review.desk.lapse import lapse_claims
from review.following import Passed
from review.learning.datasets import Places
from review.learning.effects import Effects
from review.learning.fresh import FreshDatasets
from review.learning.leftovers import STALE_S, remove_leftovers
from review.learning.retraining import Trainings
from review.learning.triggers import Triggers
from review.release.watching import watch_promotions
from review.rollouts.following import follow_rollouts
from review.simulation.running import Simulations
from review.store.cases import any_disagreement, any_to_end, moot_disagreements
from review.store.claims import any_expired
from review.store.tallies import open_trials
from review.traffic.query import TrafficReader
from review.traffic.retention import retain
from review.traffic.seal import Sealer
from review.unleash.pulling import pull_changes
from review.work import Job

CONSUMERS = (audits.CONSUMER, disagreements.CONSUMER)
"""Who reads the traffic log behind the gateways; a segment is sealed when all of them have read it."""


class JobParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the jobs work with."""

    ledger: Ledger
    objects: ObjectStore
    traffic: Path
    artifacts: Path
    payloads_url: str
    recipes: Path | None
    """The folder of recipes; none where no training runs."""
    traffic_keep_s: float
    upstreams: AllowedUpstreams = AllowedUpstreams()
    """The servers that models may run on elsewhere."""
    unleash: Place | None = None
    """Where the flags are in an Unleash server; none where no server is named."""


def make_jobs(parts: JobParts) -> list[Job]:
    """Every job, the quick ones first."""

    def job(every_s: float, run: Callable[[JobParts, int], Awaitable[None]], *, on_bell: bool = False) -> Job:
        return Job(name=run.__name__, every_s=every_s, run=partial(run, parts), on_bell=on_bell)

    fresh = FreshDatasets(parts.ledger, parts.artifacts, parts.upstreams)
    effects = Effects(parts.ledger, parts.objects, parts.artifacts)
    trainings = Trainings(parts.ledger, parts.artifacts, parts.recipes, parts.upstreams)
    simulations = Simulations(parts.ledger, parts.traffic, parts.artifacts)
    triggers = Triggers(parts.ledger, Places(payloads_url=parts.payloads_url, artifacts=LocalObjects(parts.artifacts)))
    return [
        job(1.0, position, on_bell=True),
        job(1.0, lapse),
        job(1.0, expire),
        job(2.0, supersede),
        job(60.0, forget_keys),
        Job(name="audit", every_s=2.0, run=partial(audit, parts, [Passed() for _ in CONSUMERS])),
        job(2.0, guard),
        job(2.0, roll),
        job(15.0, seal),
        job(3600.0, drop_old_traffic),
        job(3600.0, sweep),
        Job(name="evaluate_fresh", every_s=5.0, run=lambda _now_us: fresh.run()),
        Job(name="measure_effects", every_s=1.0, run=lambda _now_us: effects.run(), on_bell=True),
        Job(name="train", every_s=2.0, run=lambda _now_us: trainings.run(), on_bell=True),
        Job(name="simulate", every_s=1.0, run=lambda _now_us: simulations.run(), on_bell=True),
        Job(name="trigger", every_s=5.0, run=lambda _now_us: triggers.run()),
        *([job(5.0, pull_flags)] if _pulls(parts) else []),
    ]


async def position(parts: JobParts, _now_us: int) -> None:
    """Give committed events their positions."""
    waiting = await any_unpositioned(parts.ledger)
    while waiting:
        async with parts.ledger.writing() as w:
            waiting = await position_events(w) > 0


async def lapse(parts: JobParts, now_us: int) -> None:
    """End claims whose lease ran out."""
    if not await any_expired(parts.ledger, now_us):
        return
    async with parts.ledger.writing() as w:
        await lapse_claims(w, now_us)


async def expire(parts: JobParts, now_us: int) -> None:
    """Expire cases past due, and put those that nobody is left to judge before a lead."""
    if not await any_to_end(parts.ledger, now_us):
        return
    async with parts.ledger.writing() as w:
        await expire_due(w, now_us)
        await escalate_stranded(w, now_us)


async def supersede(parts: JobParts, now_us: int) -> None:
    """Close the undecided disagreements of trials that have ended."""
    if not await any_disagreement(parts.ledger):
        return
    async with parts.ledger.reading() as r:
        moot = bool(await moot_disagreements(r, await open_trials(r), limit=1))
    while moot:
        async with parts.ledger.writing() as w:
            moot = await supersede_disagreements(w, now_us) > 0


async def forget_keys(parts: JobParts, now_us: int) -> None:
    """Drop idempotency keys whose time is over."""
    async with parts.ledger.writing() as w:
        await drop_expired_keys(w, now_us)


async def audit(parts: JobParts, passed: Sequence[Passed], _now_us: int) -> None:
    """Put the items that were drawn before people, following the traffic log: for audit, and where releases differ.

    One after the other, for both write the rows of a prediction that only the log had.
    """
    of_audits, of_disagreements = passed
    await audits.follow_audits(parts.ledger, parts.objects, parts.traffic, passed=of_audits)
    await disagreements.follow_disagreements(parts.ledger, parts.objects, parts.traffic, passed=of_disagreements)


async def guard(parts: JobParts, now_us: int) -> None:
    """Look at the promotions that bake, and act where one breaks what operators declared."""
    await watch_promotions(parts.ledger, TrafficReader(parts.traffic, LedgerSegments(parts.ledger)), now_us)


async def roll(parts: JobParts, now_us: int) -> None:
    """Take the steps of rollouts that are due, and pause those that somebody has to look at."""
    await follow_rollouts(parts.ledger, TrafficReader(parts.traffic, LedgerSegments(parts.ledger)), now_us)


async def seal(parts: JobParts, _now_us: int) -> None:
    """Turn segments that nobody writes into Parquet, in a child process."""
    await Sealer(parts.traffic, LedgerSegments(parts.ledger), LedgerCursors(parts.ledger, CONSUMERS)).run()


async def drop_old_traffic(parts: JobParts, now_us: int) -> None:
    """Remove sealed traffic whose time is over."""
    before = after_us(now_us, -parts.traffic_keep_s)
    await retain(parts.traffic, LedgerSegments(parts.ledger), parts.objects, before_us=before, at_us=now_us)


async def sweep(parts: JobParts, now_us: int) -> None:
    """Remove what killed processes left half made beside the artifacts, and among the payload objects."""
    before_us = after_us(now_us, -STALE_S)
    await remove_leftovers(parts.artifacts, before_us=before_us)
    await parts.objects.sweep(before_us)


async def pull_flags(parts: JobParts, now_us: int) -> None:
    """Record what was changed in Unleash."""
    if parts.unleash is not None:
        await pull_changes(parts.ledger, parts.unleash, now_us)


def _pulls(parts: JobParts) -> bool:
    """Whether the flags are an Unleash server's that shows its log."""
    return not parts.ledger.flags.embedded and parts.unleash is not None and parts.unleash.operated
