"""Watches every promotion while it bakes, and does on a breach what operators declared, once.

Figures are read beside the transaction; the verdict, its event and what it does are one transaction under the model's
lock, in which the watch must still run by the same declaration. Killed before its commit, nothing has happened and the
next look begins anew; after it, the watch is over.
"""

from collections.abc import Sequence

import numpy as np
import structlog

from gateway.metrics import GUARD_VERDICTS, GUARD_WATCHES
from gateway.store.halts import halt, halt_of
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.models import lock_model
from gateway.store.schema.serves import GuardAct, ModelRow
from gateway.store.serving import release_plan
from review.learning.intervals import weighted_share
from review.release.evidence import Interval
from review.release.guarding import Breached, Evidence, Latency, OnBreach, Passed, Share, Watching, is_due, judge
from review.release.intervals import wilson
from review.release.rollback import Rollback, roll_back_model
from review.store.guards import Watch, any_watch, conclude, note_figures, open_watches
from review.store.judged import Judged, judged_since, refused_since
from review.store.pointer import good_champions
from review.traffic.answered import Answered
from review.traffic.query import TrafficReader, Window

GUARD = "guard"
"""How events and history name it."""
ACTS: dict[OnBreach, GuardAct] = {"advise": "advised", "pause": "paused", "roll_back": "rolled_back"}


async def watch_promotions(ledger: Ledger, traffic: TrafficReader, now_us: int) -> None:
    """Look at every watched promotion that is due, and end the watches that have come to a verdict.

    Raises: ExceptionGroup, after all were looked at, with what went wrong on the way.
    """
    watches = list[Watch]()
    if await any_watch(ledger):
        async with ledger.reading() as r:
            watches = await open_watches(r)
    GUARD_WATCHES.put(len(watches))
    errors = []
    for watch in watches:
        if is_due(from_us=watch.from_us, until_us=watch.until_us, looked_us=watch.looked_us, now_us=now_us):
            try:
                await look(ledger, traffic, watch, now_us)
            except Exception as error:  # noqa: BLE001 - one model's fault is not the others'
                errors.append(error)
    if errors:
        raise ExceptionGroup("promotions that could not be looked at", errors)


async def look(ledger: Ledger, traffic: TrafficReader, watch: Watch, now_us: int) -> None:
    """Look at one promotion: what it has shown so far, and whether that is enough for a verdict."""
    verdict = judge(await evidence_on(ledger, traffic, watch), until_us=watch.until_us, now_us=now_us)
    if isinstance(verdict, Watching):
        async with ledger.writing(ring=False) as w:
            await note_figures(w, watch, verdict.figures, now_us)
        return
    async with ledger.writing() as w:
        said = await carry_out(w, watch, verdict)
    if said is not None:
        GUARD_VERDICTS.add(watch.model, said)
        structlog.get_logger().info("guard_verdict", model=watch.model, release=watch.release, verdict=said)


async def carry_out(w: WriteSession, watch: Watch, verdict: Passed | Breached) -> str | None:
    """End the watch by its verdict and act on a breach; `passed` or what was done, None where it was over already."""
    model = await lock_model(w, watch.tenant_id, watch.model)
    if model is None:
        return None
    if isinstance(verdict, Passed):
        passed = await conclude(w, model, watch, "passed", figures=verdict.figures, told=verdict.told, by=GUARD)
        return "passed" if passed else None
    act, told = await _act_of(w, watch, verdict.told)
    if not await conclude(w, model, watch, "breached", figures=verdict.figures, told=told, by=GUARD, act=act):
        return None
    await _do(w, model, watch, act, told)
    return act


async def _act_of(r: ReadSession, watch: Watch, told: str) -> tuple[GuardAct, str]:
    """What is done about a breach, and the reason in words; without a release to go back to the model is paused."""
    act = ACTS[watch.declaration.on_breach]
    if act == "rolled_back" and not set(await good_champions(r, watch.model_id)) - {watch.release_id}:
        return "paused", f"{told} No release has served to which the model could go back, so it is paused."
    return act, told


async def _do(w: WriteSession, model: ModelRow, watch: Watch, act: GuardAct, told: str) -> None:
    why = f"{watch.release} broke what its guard declares. {told}"
    if act == "rolled_back":
        await roll_back_model(w, model, Rollback(why=why), by=GUARD)
    elif act == "paused" and await halt_of(w, model.id) is None:  # a halt of people's may be stricter
        await halt(w, model, "review", by=GUARD, why=why)


async def evidence_on(ledger: Ledger, traffic: TrafficReader, watch: Watch) -> list[Evidence]:
    """What each declared watch has found since the promotion."""
    declared, found = watch.declaration, list[Evidence]()
    async with ledger.reading() as r:
        judged = await judged_since(r, watch.tenant_id, watch.release_id, watch.from_us)
        refused = await refused_since(r, watch.tenant_id, watch.release_id, watch.from_us)
        overflow = (await release_plan(r, watch.model, watch.release_id)).policy.overflow
    if declared.errors is not None:
        drawn = sum(each.items for each in judged if each.kind == "audit")
        found.append(Share(watch="errors", found=error_rate(judged), limit=declared.errors, drawn=drawn))
    if declared.reversals is not None:
        found.append(Share(watch="reversals", found=reversal_rate(judged), limit=declared.reversals))
    if declared.latency is None and declared.refusals is None:
        return found
    quantile = declared.latency.quantile if declared.latency is not None else 0.5
    window = Window(tenant=watch.tenant_id, since_us=watch.from_us, until_us=watch.until_us, model=watch.model)
    answered = await traffic.answered(window, watch.release, quantile)
    if declared.latency is not None:
        found.append(Latency(found=answered.took, answers=answered.counted.answers, limit=declared.latency))
    if declared.refusals is not None:
        refused += answered.counted.overflowed if overflow == "refuse" else 0
        found.append(Share(watch="refusals", found=refusal_rate(answered, refused), limit=declared.refusals))
    return found


def error_rate(judged: Sequence[Judged]) -> Interval | None:
    """The share of wrong automatic answers, each audit counting 1 / its probability. Pure."""
    audits = [each for each in judged if each.kind == "audit" and each.inclusion_probability and each.wrong is not None]
    sizes = [each.items for each in audits]
    wrong = np.repeat(np.array([each.wrong for each in audits], dtype=bool), sizes)
    weights = np.repeat(np.array([1 / (each.inclusion_probability or 1) for each in audits], dtype=float), sizes)
    return weighted_share(wrong, weights)


def reversal_rate(judged: Sequence[Judged]) -> Interval | None:
    """The share of judged items about which people said something else than the model. Pure."""
    said = [each for each in judged if each.wrong is not None]
    return wilson(sum(each.items for each in said if each.wrong), sum(each.items for each in said))


def refusal_rate(answered: Answered, refused: int) -> Interval | None:
    """The share of requests that failed or were refused; one held long and refused again counts once. Pure."""
    asked = answered.counted.decided + answered.failed
    return wilson(min(asked, answered.failed + refused), asked)
