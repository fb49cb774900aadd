"""Simulations as people ask for them: propose a change, look at what it would do, compare two, cancel one."""

import asyncio
from typing import Annotated
from uuid import UUID

import msgspec

from flags.definitions import digest_of
from flags.folding import fold
from flags.names import of_model
from gateway.errors import UnknownModel
from gateway.record.payloads import LocalObjects
from gateway.store.events import append_event
from gateway.store.flags import current_state
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.models import known_model
from gateway.store.schema.plumbing import JobRow
from gateway.store.serving import served_models
from review.actors import Actor
from review.learning.errors import JobOver
from review.operators import operated_model, require_operator
from review.simulation.errors import ProposalRefused, SimulationNotDone, SimulationOfOther, UnknownSimulation
from review.simulation.jobs import DECISIONS_MAX, SIMULATE, SimulateArgs, SimulationResult
from review.simulation.proposal import Proposal, proposed_plan, proposed_state, require_change
from review.simulation.report import Report, read_report
from review.store.jobs import JobState, NewJob, add_job, cancel_job, find_job, jobs_of


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A simulation that somebody asks for: what is proposed, over which traffic."""

    settings: tuple[Annotated[str, msgspec.Meta(max_length=100)], ...] = ()
    """Such as `automated=on` or `candidate.rollout=25`."""
    state: dict[str, object] | None = None
    """Flags and segments in Unleash's JSON, in the place of those of the same name or id."""
    policy: dict[str, object] = {}
    """Numbers of the policy, such as `hold_below`; `hold_below_by_class.NAME` is the threshold of one class."""
    since_us: Annotated[int, msgspec.Meta(ge=0)]
    until_us: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Now unless given."""
    decisions_max: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)] = DECISIONS_MAX
    """Where the window has more decisions, it is sampled to about so many."""
    why: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class SimulationShown(msgspec.Struct, frozen=True, kw_only=True):
    """A simulation: what was asked, how far it is, and the figures by which one finds it."""

    id: UUID
    model: str
    proposal: tuple[str, ...]
    since_us: int
    until_us: int
    state: JobState
    progress: float
    """From 0 to 1."""
    result: SimulationResult | None
    error: str | None
    by: str
    why: str
    created_us: int


async def ask_simulation(ledger: Ledger, actor: Actor, name: str, asked: Asked) -> SimulationShown:
    """Put a simulation in the line; one that would do the same and is not over is found instead.

    Raises: UnknownModel, NotAllowed, ProposalRefused, NothingProposed, UnknownFlag, SeveralStrategies,
    NotAFeatureState.
    """
    async with ledger.reading() as r:
        model = await known_model(r, actor.tenant_id, name)
        require_operator(actor, model.id)
        args = await _args(r, actor.tenant_id, name, asked)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        at_us = await w.now_us()
        new = NewJob(
            tenant_id=actor.tenant_id, kind=SIMULATE, args=msgspec.json.encode(args).decode(), dedupe=args.name,
            by=actor.by, at_us=at_us,
        )  # fmt: skip
        job_id, is_new = await add_job(w, new)
        if is_new:
            data = {"simulation": str(job_id), "proposal": ", ".join(args.proposal.words()), "why": asked.why}
            await append_event(
                w, "simulation.asked", f"model:{name}", data, by=actor.by, tenant_id=actor.tenant_id, at_us=at_us
            )
        return await show_simulation(w, actor.tenant_id, job_id)


async def _args(r: ReadSession, tenant_id: UUID, name: str, asked: Asked) -> SimulateArgs:
    """What the job is told; the proposal is tried at once, so that what is wrong with it is said at once."""
    proposal = Proposal(settings=asked.settings, state=asked.state, policy=asked.policy)
    plans = await served_models(r, tenant_id, name)
    if not plans:
        raise UnknownModel(model=name[:80])
    current = await current_state(r)
    body = await asyncio.to_thread(_readable_state, current.body, name, proposal)
    require_change(current.body, body, plans[0], proposed_plan(plans[0], 0, proposal))
    return SimulateArgs(
        model_id=plans[0].id,
        model=name,
        proposal=proposal,
        state_now=current.digest,
        state_then=digest_of(body),
        body_then=body.decode(),
        since_us=asked.since_us,
        until_us=asked.until_us if asked.until_us is not None else await r.now_us(),
        decisions_max=asked.decisions_max,
        why=asked.why,
    )


def _readable_state(body: bytes, model: str, proposal: Proposal) -> bytes:
    """The proposed state, of which the engine reads every flag of the model as it is written.

    Raises: ProposalRefused, UnknownFlag, SeveralStrategies, NotAFeatureState.
    """
    proposed = proposed_state(body, model, proposal)
    warning = fold(proposed).warning or ""
    if unread := [name for name in of_model(model).all() if name in warning]:
        raise ProposalRefused(fault=f"the engine cannot read {', '.join(unread)}: {warning[:500]}")
    return proposed


async def list_simulations(r: ReadSession, tenant_id: UUID, model: str) -> list[SimulationShown]:
    """A model's simulations, the newest first. Raises: UnknownModel."""
    await known_model(r, tenant_id, model)
    return [_shown(row) for row in await jobs_of(r, tenant_id, model, kind=SIMULATE)]


async def show_simulation(r: ReadSession, tenant_id: UUID, simulation_id: UUID) -> SimulationShown:
    """A simulation. Raises: UnknownSimulation."""
    return _shown(await _job(r, tenant_id, simulation_id))


async def read_simulation(r: ReadSession, artifacts: LocalObjects, tenant_id: UUID, simulation_id: UUID) -> Report:
    """The report of a simulation. Raises: UnknownSimulation, SimulationNotDone."""
    shown = await show_simulation(r, tenant_id, simulation_id)
    if shown.result is None:
        raise SimulationNotDone(simulation=simulation_id, state=shown.state)
    return read_report(await artifacts.get(shown.result.report))


async def cancel_simulation(ledger: Ledger, actor: Actor, simulation_id: UUID) -> SimulationShown:
    """Cancel a simulation that is not over. Raises: UnknownSimulation, NotAllowed, JobOver."""
    async with ledger.writing() as w:
        job = await _job(w, actor.tenant_id, simulation_id)
        require_operator(actor, msgspec.json.decode(job.args, type=SimulateArgs).model_id)
        if not await cancel_job(w, simulation_id, await w.now_us()):
            raise JobOver(state=job.state)
    async with ledger.reading() as r:
        return await show_simulation(r, actor.tenant_id, simulation_id)


async def require_about(r: ReadSession, tenant_id: UUID, simulation_id: UUID | None, model: str) -> None:
    """Return if a change of a model may name this simulation, or names none.

    Raises: UnknownSimulation, SimulationOfOther, SimulationNotDone.
    """
    if simulation_id is None:
        return
    shown = await show_simulation(r, tenant_id, simulation_id)
    if shown.model != model:
        raise SimulationOfOther(simulation=simulation_id, of=shown.model, model=model)
    if shown.result is None:
        raise SimulationNotDone(simulation=simulation_id, state=shown.state)


async def _job(r: ReadSession | WriteSession, tenant_id: UUID, simulation_id: UUID) -> JobRow:
    job = await find_job(r, tenant_id, simulation_id)
    if job is None or job.kind != SIMULATE:
        raise UnknownSimulation
    return job


def _shown(row: JobRow) -> SimulationShown:
    args = msgspec.json.decode(row.args, type=SimulateArgs)
    return SimulationShown(
        id=row.id,
        model=args.model,
        proposal=args.proposal.words(),
        since_us=args.since_us,
        until_us=args.until_us,
        state=row.state,
        progress=row.progress,
        result=msgspec.json.decode(row.result, type=SimulationResult) if row.result else None,
        error=row.error,
        by=row.by,
        why=args.why,
        created_us=row.created_us,
    )
