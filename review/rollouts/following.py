"""Takes rollouts on: the worker looks at each that runs, and takes its next step when everything has come.

What has come is counted beside the transaction; whether a step is taken is decided within it, under the model's lock,
from the flag and the model as they are then. The flag, the rollout and both events are that one transaction: killed
before its commit nothing has happened, and killed after it the next look finds the step taken.
"""

from contextlib import suppress

import msgspec
import structlog

from flags.errors import FlagsChanged, FlagsError
from flags.names import parse
from gateway.store.ledger import Ledger, WriteSession
from gateway.store.models import lock_model
from gateway.times import SECOND_US
from review.rollouts.deciding import Finish, Next, Pause, Take, Wait, must_count, next_of
from review.rollouts.errors import RolloutChanged
from review.rollouts.moving import LAST, do_step
from review.rollouts.standing import around_of, came_of
from review.store.rollouts import (
    Rollout,
    any_rollout,
    end_or_pause,
    note_counts,
    rollout_by_id,
    running_rollouts,
    verdicts_since,
)
from review.traffic.query import TrafficReader, Window

ROLLOUT = "rollout"
"""How events and history name the worker that takes the steps."""


async def follow_rollouts(ledger: Ledger, traffic: TrafficReader, now_us: int) -> None:
    """Look at every rollout that runs, and take what is due.

    Raises: ExceptionGroup, after all were looked at, with what went wrong on the way.
    """
    if not await any_rollout(ledger):
        return
    async with ledger.reading() as r:
        rollouts = await running_rollouts(r)
    errors = []
    for rollout in rollouts:
        try:
            await look(ledger, traffic, rollout, now_us)
        except Exception as error:  # noqa: BLE001 - one flag's fault is not the others'
            errors.append(error)
    if errors:
        raise ExceptionGroup("rollouts that could not be looked at", errors)


async def look(ledger: Ledger, traffic: TrafficReader, rollout: Rollout, now_us: int) -> None:
    """Look at one rollout: count what it lacks, and do what comes next."""
    counted = await _count(ledger, traffic, rollout, now_us)
    async with ledger.reading() as r:
        next_ = next_of(counted.steps, counted.step, came_of(counted, now_us), await around_of(r, counted))
    if isinstance(next_, Wait):
        if counted is not rollout:
            async with ledger.writing(ring=False) as w:
                await note_counts(w, counted, counted.requests, counted.verdicts, now_us)
        return
    try:
        async with ledger.writing() as w:
            done = await _carry_out(w, counted, now_us)
    except (RolloutChanged, FlagsChanged):
        return  # somebody was faster; the next look sees what they did
    except FlagsError as error:
        await _pause(ledger, counted, str(error), now_us)
        return
    if done is not None:
        structlog.get_logger().info("rollout_moved", flag=rollout.flag, move=type(done).__name__.lower())


async def _carry_out(w: WriteSession, counted: Rollout, now_us: int) -> Next | None:
    """Decide again under the model's lock, and do it; None where the rollout is not as it was counted any more."""
    if await lock_model(w, counted.tenant_id, counted.model) is None:
        return None
    rollout = await rollout_by_id(w, counted.id)
    if rollout is None or rollout.state != "running" or rollout.step != counted.step:
        return None
    came = msgspec.structs.replace(came_of(rollout, now_us), requests=counted.requests, verdicts=counted.verdicts)
    next_ = next_of(rollout.steps, rollout.step, came, await around_of(w, rollout))
    if isinstance(next_, Take):
        why = f"Step {rollout.step + 1} has shown all that was asked for: {rollout.present.told}."
        await do_step(w, rollout, next_.step, by=ROLLOUT, why=why, at_us=now_us)
    elif isinstance(next_, Finish):
        await end_or_pause(w, rollout, "finished", told=LAST, by=ROLLOUT, at_us=now_us)
    elif isinstance(next_, Pause):
        await end_or_pause(w, rollout, "paused", told=next_.why, by=ROLLOUT, at_us=now_us)
    return next_


async def _pause(ledger: Ledger, rollout: Rollout, why: str, now_us: int) -> None:
    """Pause a rollout whose flag cannot be turned."""
    with suppress(RolloutChanged):
        async with ledger.writing() as w:
            await end_or_pause(w, rollout, "paused", told=why, by=ROLLOUT, at_us=now_us)


async def _count(ledger: Ledger, traffic: TrafficReader, rollout: Rollout, now_us: int) -> Rollout:
    """The rollout with what has come since its step, counted anew where that is due."""
    came = came_of(rollout, now_us)
    looked_s = None if rollout.looked_us is None else (rollout.looked_us - rollout.since_us) / SECOND_US
    if not must_count(rollout.present, came, looked_s):
        return rollout
    window = Window(tenant=rollout.tenant_id, since_us=rollout.since_us, until_us=now_us, model=rollout.model)
    requests = came.requests
    if requests < rollout.present.requests:
        requests = await traffic.let_on(window, parse(rollout.flag)[1])
    async with ledger.reading() as r:
        verdicts = await verdicts_since(r, rollout.model_id, rollout.since_us)
    return msgspec.structs.replace(rollout, requests=requests, verdicts=verdicts, looked_us=now_us)
