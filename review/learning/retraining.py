"""Runs the trainings that wait, one after the other, each in a child process that ends with everything it started.

A training that its worker left behind is begun again by the next one; what was cancelled is gone within a second.
"""

import asyncio
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import msgspec
import structlog

from gateway import metrics
from gateway.errors import LedgerUnavailable
from gateway.inference.upstreams import AllowedUpstreams
from gateway.record.payloads import LocalObjects
from gateway.store.events import append_event
from gateway.store.ledger import Ledger, WriteSession
from gateway.store.schema.plumbing import JobRow
from review.errors import ReviewError
from review.learning.child import in_tethered_child
from review.learning.jobs import FOLDER, LOG, STARTS, TRAIN, TrainArgs, TrainingResult
from review.learning.trained import TEXT
from review.learning.training import TrainTask
from review.store.datasets import NewArtifact, keep_artifact
from review.store.jobs import add_log, any_job, begin_job, end_job, is_running, next_job

LOOK_S = 0.2
"""How often it is looked whether a training was cancelled."""
log = structlog.get_logger()


class Trainings:
    """The trainings of a worker; one runs at a time."""

    def __init__(
        self, ledger: Ledger, artifacts: Path, recipes: Path | None, upstreams: AllowedUpstreams | None = None
    ) -> None:
        self._ledger = ledger
        self._artifacts = artifacts
        self._recipes = recipes
        self._upstreams = upstreams or AllowedUpstreams()

    async def run(self) -> bool:
        """Do the training whose turn it is; False when none waits."""
        if not await any_job(self._ledger, TRAIN):
            return False
        async with self._ledger.reading() as r:
            job = await next_job(r, TRAIN)
        if job is None:
            return False
        args = msgspec.json.decode(job.args, type=TrainArgs)
        if args.starts >= STARTS:
            await self._fail(job, args, f"It was interrupted {args.starts} times, and is not begun again.", None)
        elif await self._begin(job, args):
            await self._train(job, args)
        return True

    async def _begin(self, job: JobRow, args: TrainArgs) -> bool:
        """Say that the training has begun; False when it was cancelled meanwhile."""
        begun = msgspec.structs.replace(args, starts=args.starts + 1)
        async with self._ledger.writing() as w:
            at_us = await w.now_us()
            if not await begin_job(w, job.id, msgspec.json.encode(begun).decode(), at_us):
                return False
            await _tell(w, "training.started", job, args, {"start": begun.starts}, at_us)
        return True

    async def _train(self, job: JobRow, args: TrainArgs) -> None:
        folder = self._artifacts.parent / FOLDER / str(job.id)
        await asyncio.to_thread(_make_empty, folder)
        try:
            result = await self._watched(job, folder)
        except ReviewError as error:
            await self._fail(job, args, str(error), folder / LOG)
        else:
            await (self._finish(job, args, result) if result is not None else self._keep(job, args, folder / LOG))
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _watched(self, job: JobRow, folder: Path) -> TrainingResult | None:
        """What the child has made; None as soon as the job is cancelled, and then nothing of the child is left."""
        task = TrainTask(
            ledger_url=self._ledger.url.render_as_string(hide_password=False), artifacts=str(self._artifacts),
            recipes=str(self._recipes) if self._recipes is not None else None, tenant_id=job.tenant_id, job_id=job.id,
            folder=str(folder), upstreams=self._upstreams,
        )  # fmt: skip
        training = asyncio.create_task(in_tethered_child("learning.training", task, TrainingResult))
        try:
            while not training.done():
                await asyncio.wait({training}, timeout=LOOK_S)
                if not await self._goes_on(job.id):
                    return None
            return training.result()
        finally:
            training.cancel()
            await asyncio.wait({training})

    async def _goes_on(self, job_id: UUID) -> bool:
        with suppress(LedgerUnavailable):
            async with self._ledger.reading() as r:
                return await is_running(r, job_id)
        return True

    async def _finish(self, job: JobRow, args: TrainArgs, result: TrainingResult) -> None:
        async with self._ledger.writing() as w:
            told = msgspec.json.encode(result).decode()
            await end_job(w, job.id, "done", await w.now_us(), result=told, progress=1.0)
        metrics.TRAININGS.add(args.model, "done")
        log.info("training_done", job=str(job.id), release=result.release)

    async def _fail(self, job: JobRow, args: TrainArgs, why: str, printed: Path | None) -> None:
        kept = await self._stored(printed)
        async with self._ledger.writing() as w:
            at_us = await w.now_us()
            await _keep_log(w, job, kept, at_us)
            if await end_job(w, job.id, "failed", at_us, error=why):
                await _tell(w, "training.failed", job, args, {"why": why}, at_us)
        metrics.TRAININGS.add(args.model, "failed")
        log.warning("training_failed", job=str(job.id), why=why)

    async def _keep(self, job: JobRow, args: TrainArgs, printed: Path) -> None:
        """Keep the log of a training that was cancelled."""
        kept = await self._stored(printed)
        async with self._ledger.writing() as w:
            await _keep_log(w, job, kept, await w.now_us())
        metrics.TRAININGS.add(args.model, "cancelled")

    async def _stored(self, printed: Path | None) -> NewArtifact | None:
        if printed is None or not await asyncio.to_thread(printed.is_file):
            return None
        stored = await LocalObjects(self._artifacts).put_file(printed)
        return NewArtifact(**msgspec.structs.asdict(stored), kind="recipe", media_type=TEXT)


async def _keep_log(w: WriteSession, job: JobRow, kept: NewArtifact | None, at_us: int) -> None:
    if kept is not None:
        await keep_artifact(w, kept, at_us)
        await add_log(w, job.id, msgspec.json.encode(TrainingResult(log=kept.sha256)).decode(), at_us)


async def _tell(
    w: WriteSession, kind: str, job: JobRow, args: TrainArgs, more: Mapping[str, str | int], at_us: int
) -> None:
    data = {"job": str(job.id), "dataset": args.dataset, "recipe": args.recipe, **more}
    subject = f"model:{args.model}"
    await append_event(w, kind, subject, data, by=job.by, tenant_id=job.tenant_id, at_us=at_us)


def _make_empty(folder: Path) -> None:
    """Make the folder, and remove those of trainings that are over: one runs at a time."""
    shutil.rmtree(folder.parent, ignore_errors=True)
    folder.mkdir(parents=True)
