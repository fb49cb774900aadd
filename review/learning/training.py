"""Trains a model by its recipe on the training split of a dataset, and makes a version and a release of what comes out.

`python -m review.learning.training` is the child process that does it, tethered to the worker. Nothing of a training is
in the ledger before its one transaction; begun again after that, only the evaluation is left to do.
"""

import asyncio
import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

import msgspec

from gateway.errors import GatewayError
from gateway.inference.admission import admit
from gateway.inference.upstreams import AllowedUpstreams
from gateway.record.payloads import LocalObjects
from gateway.registry.adding import FileChanged
from gateway.store.ledger import Ledger
from gateway.times import now_us
from review.learning.child import Task, be_child
from review.learning.commanding import run_command
from review.learning.errors import LearningError, TrainingFailed
from review.learning.evaluating import EvaluateTask, evaluate
from review.learning.freezing import ItemKeys
from review.learning.jobs import LOG, TrainArgs, TrainingResult
from review.learning.manifest import Manifest, manifest_bytes, read_manifest
from review.learning.parquet import copy_rows
from review.learning.recipe import DATASET, MODEL_FILE, PARAMETERS_FILE, Recipe, Run, TrainingRecord, recipe_digest
from review.learning.recipe_folder import copy_files
from review.learning.trained import Product, register
from review.store.datasets import find_dataset
from review.store.jobs import find_job, note_progress
from review.store.recipes import read_recipe

FORMAT = "lockgate.training/1"
ITEMS, ANNOTATIONS, MANIFEST = "items.parquet", "annotations.parquet", "manifest.json"
WORK = "work"
TELL_S = 0.5
"""How often a training's progress is written down."""
NEARLY = 0.99
"""How far a command can say that a training is: admission and evaluation come after it."""


class TrainTask(Task, frozen=True, kw_only=True):
    """What shall be trained, and where everything is."""

    artifacts: str
    recipes: str | None
    """The folder of recipes; none where no recipe runs."""
    tenant_id: UUID
    job_id: UUID
    folder: str
    """An empty folder for this training alone."""
    upstreams: AllowedUpstreams = AllowedUpstreams()
    """The servers that may be asked when what was trained is compared with a champion elsewhere."""


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """What a command is told in `parameters.json`, beside its folder `dataset`; paths are below its own folder."""

    format: str
    model: str
    dataset: str
    seed: int
    parameters: dict[str, bool | int | float | str]
    items: str
    annotations: str
    manifest: str
    output: str


class _Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says about the task."""

    args: TrainArgs
    by: str
    result: TrainingResult | None
    """What an earlier run of the same job has made already."""
    recipe: Recipe
    manifest: Manifest


async def train(ledger: Ledger, task: TrainTask) -> TrainingResult:
    """Train, make the release, and evaluate it on the held-out split.

    Raises: RecipesOff, UnknownRecipe, RecipeChanged, TrainingFailed.
    """
    subject = await _subject(ledger, task)
    made = subject.result or await _make(ledger, task, subject)
    try:
        evaluated = await evaluate(ledger, _evaluation(task, subject, made))
    except LearningError as error:  # the release stands; the gate waits for its evaluation
        return msgspec.structs.replace(made, unevaluated=str(error))
    return msgspec.structs.replace(made, evaluation=evaluated.id)


async def _subject(ledger: Ledger, task: TrainTask) -> _Subject:
    async with ledger.reading() as r:
        job = await find_job(r, task.tenant_id, task.job_id)
        assert job is not None  # jobs are never removed
        args = msgspec.json.decode(job.args, type=TrainArgs)
        dataset = await find_dataset(r, task.tenant_id, args.dataset)
        assert dataset is not None  # a dataset is never removed
        return _Subject(
            args=args,
            by=job.by,
            result=msgspec.json.decode(job.result, type=TrainingResult) if job.result else None,
            recipe=await read_recipe(r, args.recipe),
            manifest=read_manifest(dataset[0].manifest),
        )


async def _make(ledger: Ledger, task: TrainTask, subject: _Subject) -> TrainingResult:
    artifacts, folder = LocalObjects(Path(task.artifacts)), Path(task.folder, WORK)
    recipes = Path(task.recipes) if task.recipes is not None else None
    command = await asyncio.to_thread(copy_files, recipes, subject.recipe, folder)
    await hand_over(artifacts, subject.args, subject.manifest, folder)
    started_us, log = now_us(), Path(task.folder, LOG)
    async with _telling(ledger, task.job_id) as progress:
        ended = await run_command(command, subject.recipe, folder, log, progress.say)
    kept = await artifacts.put_file(log)
    run = Run(
        job=task.job_id, by=subject.by, started_us=started_us, seconds=round(ended.seconds, 3), exit_status=0,
        log=kept.sha256, python=ended.python, platform=platform.platform(),
    )  # fmt: skip
    record = TrainingRecord(
        trained="here", recipe_sha256=recipe_digest(subject.recipe), recipe=subject.recipe, seed=subject.args.seed,
        parameters=subject.args.parameters, dataset=subject.args.dataset, run=run,
    )  # fmt: skip
    file = _written(folder / MODEL_FILE)
    try:
        report, stored = await admit(file), await artifacts.put_file(file)
        if stored.sha256 != report.sha256:  # something that the command left behind still writes
            raise FileChanged
        product = Product(
            report=report,
            file=stored,
            log=kept,
            code=tuple([await artifacts.put_file(folder / each.path) for each in subject.recipe.files]),
            record=record,
        )
        return await register(ledger, task.tenant_id, subject.args, subject.manifest, product)
    except GatewayError as error:
        raise TrainingFailed(fault=f"what it made cannot be served: {error}") from error


def _written(file: Path) -> Path:
    """The model file that a command has written, and nothing that it links to. Raises: TrainingFailed."""
    if file.is_symlink() or not file.is_file():
        raise TrainingFailed(fault=f"the command wrote no file {MODEL_FILE} into the folder that it began in.")
    return file


async def hand_over(artifacts: LocalObjects, args: TrainArgs, manifest: Manifest, folder: Path) -> None:
    """Lay the training split of a dataset, and what people said of it, before a command; nothing of the other split."""
    (folder / DATASET).mkdir()
    items = await artifacts.local_path(manifest.items.sha256)
    annotations = await artifacts.local_path(manifest.annotations.sha256)
    await asyncio.to_thread(_copy_train, items, annotations, folder / DATASET)
    (folder / DATASET / MANIFEST).write_bytes(manifest_bytes(manifest))
    handed = Handed(
        format=FORMAT, model=args.model, dataset=args.dataset, seed=args.seed, parameters=dict(args.parameters),
        items=f"{DATASET}/{ITEMS}", annotations=f"{DATASET}/{ANNOTATIONS}", manifest=f"{DATASET}/{MANIFEST}",
        output=MODEL_FILE,
    )  # fmt: skip
    (folder / PARAMETERS_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(handed)))


def _copy_train(items: Path, annotations: Path, target: Path) -> None:
    copy_rows(items, target / ITEMS, ("split",), lambda splits: [split == "train" for split in splits])
    keys = ItemKeys(items, split="train")
    copy_rows(
        annotations,
        target / ANNOTATIONS,
        ("prediction", "item"),
        lambda predictions, numbers: [keys.has(key) for key in zip(predictions, numbers, strict=True)],
    )


class _Progress:
    """How far a command says it is."""

    def __init__(self) -> None:
        self.latest = 0.0

    def say(self, progress: float) -> None:
        self.latest = min(progress, NEARLY)


@asynccontextmanager
async def _telling(ledger: Ledger, job_id: UUID) -> AsyncIterator[_Progress]:
    """Writes down now and then how far the command is, for those who look at the job."""
    progress = _Progress()

    async def write() -> None:
        told = 0.0
        while True:
            await asyncio.sleep(TELL_S)
            if progress.latest != told:
                told = progress.latest
                async with ledger.writing() as w:
                    await note_progress(w, job_id, told, await w.now_us())

    writing = asyncio.create_task(write())
    try:
        yield progress
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError, GatewayError):
            await writing


def _evaluation(task: TrainTask, subject: _Subject, made: TrainingResult) -> EvaluateTask:
    return EvaluateTask(
        ledger_url=task.ledger_url, artifacts=task.artifacts, tenant_id=task.tenant_id, release=made.release or "",
        dataset=subject.args.dataset, seed=0, by=subject.by, upstreams=task.upstreams,
    )  # fmt: skip


if __name__ == "__main__":
    asyncio.run(be_child(TrainTask, train, tethered=True))
