"""What operators do to a rollout: start, pause, resume, advance, approve, abort; each in one transaction.

The model is locked first, as by everything that changes what answers: a halt, a rollback and a step never cross.
"""

from uuid import UUID

import msgspec

from flags.names import parse
from flags.store import Authorship
from gateway.store.halts import halt_of
from gateway.store.ledger import Ledger, WriteSession
from gateway.store.schema.serves import ModelRow
from review.actors import Actor
from review.errors import NotAPerson
from review.operators import operated_model
from review.release.moving import require_why
from review.rollouts.deciding import Around, Take, after, obstacle_of, standing_obstacle
from review.rollouts.errors import ApprovedByAnother, NoRollout, RolloutCannot, RolloutUnderWay
from review.rollouts.four_eyes import require_another, require_confirmed
from review.rollouts.hand import mark_of, off, step_to
from review.rollouts.schedule import schedule_of
from review.rollouts.standing import HAND, RolloutShown, around_of, revision_of, shown
from review.simulation.simulations import require_about
from review.store.rollouts import (
    Rollout,
    Taken,
    begin_rollout,
    end_or_pause,
    latest_rollout_of,
    note_approved,
    note_resumed,
    take_step,
)
from review.store.trials import open_trial_of

LAST = "The last step is over."


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout to be started: its steps as people write them, and why."""

    steps: tuple[str, ...]
    why: str
    simulation: UUID | None = None
    """The simulation on which it rests."""


async def start(ledger: Ledger, actor: Actor, flag: str, asked: Start) -> RolloutShown:
    """Take the first step, and let the worker take the others.

    Raises: ReasonMissing, NotAModelFlag, UnknownModel, NotAllowed, ScheduleRefused, RolloutUnderWay, RolloutCannot,
    UnknownFlag, SeveralStrategies, FlagsElsewhere, and what a simulation that is no ground for it raises.
    """
    require_why(asked.why)
    name, kind = parse(flag)
    steps = schedule_of(asked.steps)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        before = await latest_rollout_of(w, model.tenant_id, flag)
        if before is not None and before.live:
            raise RolloutUnderWay(flag=flag)
        around = Around(
            kind=kind,
            as_left=True,
            reach="",
            halted=await halt_of(w, model.id) is not None,
            trial=await open_trial_of(w, model.id) is not None,
        )
        if (obstacle := standing_obstacle(around)) is not None:
            raise RolloutCannot(flag=flag, why=obstacle)
        await require_confirmed(w, model, flag, steps)
        await require_about(w, model.tenant_id, asked.simulation, name)
        why = f"Step 1 of {len(steps)} of a rollout: {asked.why}"
        taken = await turn_to(
            w, model.tenant_id, model.id, flag, 0, steps[0].percent, by=actor.by, why=why, simulation=asked.simulation
        )
        await begin_rollout(w, model, flag, steps, taken, by=actor.by, why=asked.why)
        return await _now(w, model, flag)


async def pause(ledger: Ledger, actor: Actor, flag: str, why: str) -> RolloutShown:
    """Let nothing happen by itself until it is resumed; the flag stays as it is.

    Raises: ReasonMissing, NotAModelFlag, UnknownModel, NotAllowed, NoRollout, RolloutCannot.
    """
    async with ledger.writing() as w:
        model, rollout = await _live(w, actor, flag, why)
        if rollout.state == "paused":
            raise RolloutCannot(flag=flag, why="it is paused already.")
        await end_or_pause(w, rollout, "paused", told=why, by=actor.by, at_us=await w.now_us())
        return await _now(w, model, flag)


async def resume(ledger: Ledger, actor: Actor, flag: str, why: str) -> RolloutShown:
    """Go on from the present step, which begins anew; a flag that was changed by hand is put back to it.

    Raises: ReasonMissing, NotAModelFlag, UnknownModel, NotAllowed, NoRollout, RolloutCannot, SeveralStrategies,
    NotAPerson, ApprovedByAnother.
    """
    async with ledger.writing() as w:
        model, rollout = await _live(w, actor, flag, why)
        if rollout.state != "paused":
            raise RolloutCannot(flag=flag, why="it is not paused.")
        around = msgspec.structs.replace(await around_of(w, rollout), moved=None)
        if (obstacle := standing_obstacle(around)) is not None:
            raise RolloutCannot(flag=flag, why=obstacle)
        percent = rollout.present.percent
        await require_another(w, model, rollout, actor, percent)
        taken = await turn_to(
            w, model.tenant_id, model.id, flag, rollout.step, percent, by=actor.by, why=f"The rollout goes on: {why}"
        )
        await note_resumed(w, rollout, taken, by=actor.by, why=why)
        return await _now(w, model, flag)


async def advance(ledger: Ledger, actor: Actor, flag: str, why: str) -> RolloutShown:
    """Wait no longer: take the next step now, or finish after the last one.

    Raises: ReasonMissing, NotAModelFlag, UnknownModel, NotAllowed, NoRollout, RolloutCannot, SeveralStrategies,
    NotAPerson, ApprovedByAnother.
    """
    async with ledger.writing() as w:
        model, rollout = await _live(w, actor, flag, why)
        if rollout.state == "paused":
            raise RolloutCannot(flag=flag, why="it is paused; resume it first.")
        if (obstacle := obstacle_of(await around_of(w, rollout))) is not None:
            raise RolloutCannot(flag=flag, why=obstacle)
        next_ = after(rollout.steps, rollout.step)
        if isinstance(next_, Take):
            await require_another(w, model, rollout, actor, rollout.steps[next_.step].percent)
            await do_step(w, rollout, next_.step, by=actor.by, why=why, at_us=await w.now_us())
        else:
            await end_or_pause(w, rollout, "finished", told=why, by=actor.by, at_us=await w.now_us())
        return await _now(w, model, flag)


async def approve(ledger: Ledger, actor: Actor, flag: str, why: str) -> RolloutShown:
    """Approve of what the present step has shown; with four eyes somebody else than who started it.

    Raises: ReasonMissing, NotAModelFlag, UnknownModel, NotAllowed, NoRollout, RolloutCannot, NotAPerson,
    ApprovedByAnother.
    """
    async with ledger.writing() as w:
        model, rollout = await _live(w, actor, flag, why)
        if rollout.state != "running" or not rollout.present.approval or rollout.approved_by is not None:
            raise RolloutCannot(flag=flag, why="it does not wait for an approval.")
        if model.four_eyes and actor.kind != "person":
            raise NotAPerson
        if model.four_eyes and rollout.by == actor.by:
            raise ApprovedByAnother
        await note_approved(w, rollout, by=actor.by, why=why, at_us=await w.now_us())
        return await _now(w, model, flag)


async def abort(ledger: Ledger, actor: Actor, flag: str, why: str) -> RolloutShown:
    """End it and switch the flag off, which is the safe side of every flag.

    Raises: ReasonMissing, NotAModelFlag, UnknownModel, NotAllowed, NoRollout.
    """
    async with ledger.writing() as w:
        model, rollout = await _live(w, actor, flag, why)
        at_us = await w.now_us()
        authorship = Authorship(by=actor.by, why=f"The rollout is aborted: {why}", at_us=at_us)
        await HAND.turn(w, model.tenant_id, flag, off(flag), authorship)
        await end_or_pause(w, rollout, "aborted", told=why, by=actor.by, at_us=at_us)
        return await _now(w, model, flag)


async def do_step(w: WriteSession, rollout: Rollout, step: int, *, by: str, why: str, at_us: int) -> None:
    """Take a step of a rollout whose model is locked: the flag, the rollout and both events together.

    Raises: RolloutChanged, SeveralStrategies, UnknownFlag.
    """
    percent = rollout.steps[step].percent
    told = f"Step {step + 1} of {len(rollout.steps)} of a rollout: {why}"
    taken = await turn_to(
        w, rollout.tenant_id, rollout.model_id, rollout.flag, step, percent, by=by, why=told, at_us=at_us
    )
    await take_step(w, rollout, taken, by=by, why=why)


async def turn_to(
    w: WriteSession, tenant_id: UUID, model_id: UUID, flag: str, step: int, percent: int, *, by: str, why: str,
    at_us: int | None = None, simulation: UUID | None = None,
) -> Taken:  # fmt: skip
    """Let the flag on for a share; how it was left. Raises: SeveralStrategies, UnknownFlag."""
    now_us = await w.now_us() if at_us is None else at_us
    rests_on = str(simulation) if simulation is not None else None
    authorship = Authorship(by=by, why=why, at_us=now_us, simulation=rests_on)
    feature = await HAND.turn(w, tenant_id, flag, step_to(flag, percent), authorship)
    revision = await revision_of(w, model_id)
    return Taken(step=step, as_left=mark_of(feature), serving_revision=revision, at_us=now_us)


async def _live(w: WriteSession, actor: Actor, flag: str, why: str) -> tuple[ModelRow, Rollout]:
    require_why(why)
    name, _ = parse(flag)
    model = await operated_model(w, actor, name)
    rollout = await latest_rollout_of(w, model.tenant_id, flag)
    if rollout is None or not rollout.live:
        raise NoRollout(flag=flag)
    return model, rollout


async def _now(w: WriteSession, model: ModelRow, flag: str) -> RolloutShown:
    rollout = await latest_rollout_of(w, model.tenant_id, flag)
    if rollout is None:
        raise NoRollout(flag=flag)
    return await shown(w, rollout, await w.now_us())
