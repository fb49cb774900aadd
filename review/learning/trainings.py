"""Trainings as people ask for them: put one in the line, look at it, read its log, cancel it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec

from gateway.record.payloads import LocalObjects
from gateway.store.events import append_event
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.models import known_model
from gateway.store.schema.plumbing import JobRow
from gateway.store.schema.serves import ModelRow
from review.actors import Actor
from review.learning.datasets import show_dataset
from review.learning.errors import (
    DatasetOfOtherModel,
    JobOver,
    NoRecipe,
    NothingToLearn,
    RecipeRefused,
    RecipesOff,
    UnknownJob,
)
from review.learning.jobs import FOLDER, LOG, TRAIN, TrainArgs, TrainingResult
from review.learning.recipe import Parameter, Recipe, Seed
from review.operators import operated_model, require_operator
from review.store.jobs import JobState, NewJob, add_job, cancel_job, find_job, jobs_of
from review.store.recipes import read_recipe, rule_of

TAIL_BYTES = 64 * 1024


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A training that somebody asks for."""

    dataset: Annotated[str, msgspec.Meta(min_length=4, max_length=64)]
    """The first characters of its SHA-256."""
    seed: Seed | None = None
    """The recipe's own unless another is given."""
    parameters: Mapping[str, Parameter] = {}
    """In the place of the recipe's own."""
    why: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class JobShown(msgspec.Struct, frozen=True, kw_only=True):
    """A training as a job."""

    id: UUID
    kind: str
    model: str
    state: JobState
    progress: float
    """From 0 to 1, as its command says."""
    dataset: str
    recipe: str
    seed: int
    parameters: Mapping[str, Parameter]
    starts: int
    """How often it was begun: more than once where its worker was interrupted."""
    result: TrainingResult
    error: str | None
    by: str
    why: str
    created_us: int
    changed_us: int


async def ask_training(ledger: Ledger, recipes: Path | None, actor: Actor, name: str, asked: Asked) -> JobShown:
    """Put a training in the line; one that would do the same and is not over is found instead.

    Raises: RecipesOff, UnknownModel, NotAllowed, NoRecipe, UnknownDataset, DatasetOfOtherModel, NothingToLearn,
    RecipeRefused (no such parameter).
    """
    if recipes is None:
        raise RecipesOff
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        job_id = await put_in_line(w, model, asked, actor.by)
        return await show_job(w, actor.tenant_id, job_id)


async def put_in_line(w: WriteSession, model: ModelRow, asked: Asked, by: str) -> UUID:
    """The id of the job. Raises: NoRecipe, UnknownDataset, DatasetOfOtherModel, NothingToLearn, RecipeRefused."""
    args = await args_of(w, model, asked)
    at_us = await w.now_us()
    new = NewJob(
        tenant_id=model.tenant_id, kind=TRAIN, args=msgspec.json.encode(args).decode(), dedupe=args.name, by=by,
        at_us=at_us,
    )  # fmt: skip
    job_id, is_new = await add_job(w, new)
    if is_new:
        data = {"job": str(job_id), "dataset": args.dataset, "recipe": args.recipe, "why": asked.why}
        await append_event(
            w, "training.asked", f"model:{model.name}", data, by=by, tenant_id=model.tenant_id, at_us=at_us
        )
    return job_id


async def args_of(r: ReadSession, model: ModelRow, asked: Asked) -> TrainArgs:
    """What the job is told. Raises: NoRecipe, UnknownDataset, DatasetOfOtherModel, NothingToLearn, RecipeRefused."""
    rule = await rule_of(r, model.id)
    if rule.recipe is None:
        raise NoRecipe(model=model.name)
    dataset = await show_dataset(r, model.tenant_id, asked.dataset)
    if dataset.model != model.name:
        raise DatasetOfOtherModel(dataset=dataset.dataset[:12], of=dataset.model, model=model.name)
    if not dataset.manifest.splits["train"]:
        raise NothingToLearn(dataset=dataset.dataset[:12])
    recipe = await read_recipe(r, rule.recipe)
    _require_known(recipe, asked)
    return TrainArgs(
        model_id=model.id,
        model=model.name,
        dataset=dataset.dataset,
        recipe=rule.recipe,
        seed=recipe.seed if asked.seed is None else asked.seed,
        parameters=dict(recipe.parameters) | dict(asked.parameters),
        why=asked.why,
    )


def _require_known(recipe: Recipe, asked: Asked) -> None:
    """Return if the recipe has the parameters. Raises: RecipeRefused."""
    if unknown := ", ".join(sorted(asked.parameters.keys() - recipe.parameters.keys())):
        known = ", ".join(recipe.parameters) or "none"
        raise RecipeRefused(fault=f"it has no parameter {unknown[:200]}; it has {known}.")


async def list_jobs(r: ReadSession, tenant_id: UUID, model: str | None = None) -> list[JobShown]:
    """A tenant's jobs, or those of one model, the newest first. Raises: UnknownModel."""
    if model is not None:
        await known_model(r, tenant_id, model)
    return [_shown(row) for row in await jobs_of(r, tenant_id, model, kind=TRAIN)]


async def show_job(r: ReadSession, tenant_id: UUID, job_id: UUID) -> JobShown:
    """A job. Raises: UnknownJob."""
    return _shown(await _job(r, tenant_id, job_id))


async def cancel(ledger: Ledger, actor: Actor, job_id: UUID) -> JobShown:
    """Cancel a training; its command and all that it started are gone within a second.

    Raises: UnknownJob, NotAllowed, JobOver.
    """
    async with ledger.writing() as w:
        job = await _job(w, actor.tenant_id, job_id)
        args = msgspec.json.decode(job.args, type=TrainArgs)
        require_operator(actor, args.model_id)
        at_us = await w.now_us()
        if not await cancel_job(w, job_id, at_us):
            state = "done but for its evaluation" if job.state in {"waiting", "running"} else job.state
            raise JobOver(state=state)
        await append_event(
            w, "training.cancelled", f"model:{args.model}", {"job": str(job_id), "dataset": args.dataset},
            by=actor.by, tenant_id=actor.tenant_id, at_us=at_us,
        )  # fmt: skip
    async with ledger.reading() as r:
        return await show_job(r, actor.tenant_id, job_id)


async def read_log(r: ReadSession, artifacts: LocalObjects, tenant_id: UUID, job_id: UUID) -> bytes:
    """What a training's command has printed so far; empty before it begins. Raises: UnknownJob."""
    job = await show_job(r, tenant_id, job_id)
    if job.result.log is not None:
        return await artifacts.get(job.result.log)
    return await asyncio.to_thread(_read, artifacts.directory.root.parent / FOLDER / str(job_id) / LOG)


def _read(log: Path) -> bytes:
    try:
        return log.read_bytes()
    except FileNotFoundError:
        return b""


def tail(log: bytes) -> str:
    """The last lines of a log as text."""
    text = log[-TAIL_BYTES:].decode(errors="replace")
    return text if len(log) <= TAIL_BYTES else text.partition("\n")[2]


async def _job(r: ReadSession, tenant_id: UUID, job_id: UUID) -> JobRow:
    job = await find_job(r, tenant_id, job_id)
    if job is None or job.kind != TRAIN:
        raise UnknownJob
    return job


def _shown(row: JobRow) -> JobShown:
    args = msgspec.json.decode(row.args, type=TrainArgs)
    return JobShown(
        id=row.id,
        kind=row.kind,
        model=args.model,
        state=row.state,
        progress=row.progress,
        dataset=args.dataset,
        recipe=args.recipe,
        seed=args.seed,
        parameters=args.parameters,
        starts=args.starts,
        result=msgspec.json.decode(row.result, type=TrainingResult) if row.result else TrainingResult(),
        error=row.error,
        by=row.by,
        why=args.why,
        created_us=row.created_us,
        changed_us=row.changed_us,
    )
