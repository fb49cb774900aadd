"""Training by a recipe: what its command is handed, what becomes of what it makes, and how it ends otherwise."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psutil
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from gateway.record.objects import digest_of
from gateway.store.schema.plumbing import JobRow
from gateway.store.schema.serves import ReleaseRow, VersionRow
from review.learning.errors import JobOver, TrainingFailed
from review.learning.evaluations import list_evaluations
from review.learning.jobs import FOLDER, LOG, TrainArgs
from review.learning.manifest import read_manifest
from review.learning.recipe import recipe_digest
from review.learning.recipe_folder import read_named
from review.learning.recipes import declare_recipe
from review.learning.retraining import Trainings
from review.learning.training import TrainTask, hand_over, train
from review.learning.trainings import Asked, JobShown, ask_training, cancel, read_log, show_job
from review.store.evaluations import find_release
from review.store.jobs import begin_job
from review.store.recipes import training_of
from review.store.releases import attached_to
from tests.acceptance.scene import eventually
from tests.integration.learning.conftest import MODEL, Learning, open_learning
from tests.integration.learning.recipes import FAILURES, HANG, HANG_AT_FIRST, LEARN, LIMITS, write_recipe
from tests.integration.release.scene import operator_of
from tests.models import contrary


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """A model with outcomes, a folder of recipes, and a worker's trainings."""

    learning: Learning
    recipes: Path
    dataset: str

    @property
    def artifacts(self) -> Path:
        return self.learning.scene.artifacts.directory.root

    @property
    def worker(self) -> Trainings:
        return Trainings(self.learning.ledger, self.artifacts, self.recipes)

    @property
    def operator(self) -> Any:
        return operator_of(self.learning.scene.tenant_id)

    async def declare(self, name: str) -> None:
        await declare_recipe(self.learning.ledger, self.recipes, self.operator, MODEL, name)

    async def ask(self, **more: object) -> JobShown:
        asked = msgspec.convert({"dataset": self.dataset[:12]} | more, Asked)
        return await ask_training(self.learning.ledger, self.recipes, self.operator, MODEL, asked)

    async def job(self, job_id: UUID) -> JobShown:
        async with self.learning.ledger.reading() as r:
            return await show_job(r, self.learning.scene.tenant_id, job_id)

    async def log(self, job_id: UUID) -> str:
        async with self.learning.ledger.reading() as r:
            return (await read_log(r, self.learning.scene.artifacts, self.learning.scene.tenant_id, job_id)).decode()

    async def pid_printed(self, job_id: UUID) -> int:
        """The process that a command has started, as soon as it says so."""

        async def look() -> list[str]:
            return (await self.log(job_id)).split()[1:2]

        return int((await eventually(look, "a command that runs", 60.0))[0])

    def task(self, asked: JobShown, folder: Path) -> TrainTask:
        """What the child is told."""
        return TrainTask(
            ledger_url=self.learning.url, artifacts=str(self.artifacts), recipes=str(self.recipes),
            tenant_id=self.learning.scene.tenant_id, job_id=asked.id, folder=str(folder),
        )  # fmt: skip


@pytest.fixture
async def training(learning: Learning, tmp_path: Path) -> Training:
    """Sixty settled requests, frozen, once on each database."""
    return await begun(learning, tmp_path)


@pytest.fixture
async def on_sqlite(sqlite_ledger_url: str, tmp_path: Path) -> AsyncIterator[Training]:
    """The same for what happens in the child process, whatever the database."""
    async with open_learning(sqlite_ledger_url, tmp_path) as learning:
        yield await begun(learning, tmp_path)


async def begun(learning: Learning, folder: Path) -> Training:
    """Sixty settled requests, frozen."""
    await learning.many()
    return Training(learning=learning, recipes=folder / "recipes", dataset=(await learning.freeze()).dataset)


async def test_a_training_makes_a_version_and_a_release(training: Training) -> None:
    """With the champion as parent, the dataset attached, everything recorded, one event, and an evaluation."""
    write_recipe(training.recipes, "learn", LEARN)
    await training.declare("learn")
    asked = await training.ask(parameters={"weight": 3}, why="the first corrections")
    assert await training.worker.run()
    assert not await training.worker.run()
    done = await training.job(asked.id)
    assert (done.state, done.progress, done.error, done.starts) == ("done", 1.0, None, 1)
    assert (done.result.release, done.result.version) == (f"{MODEL}@2", 2)
    learning = training.learning
    async with learning.ledger.reading() as r:
        found = await find_release(r, learning.scene.tenant_id, f"{MODEL}@2")
        assert found is not None
        release = (await r.execute(select(ReleaseRow).where(ReleaseRow.id == found[0]))).scalar_one()
        record, attached = await training_of(r, found[0]), await attached_to(r, found[0])
        assert await training_of(r, learning.where.release_id) is None
        (evaluation, *_) = await list_evaluations(r, learning.scene.tenant_id, f"{MODEL}@2")
    assert (release.parent_id, release.why) == (learning.where.release_id, "the first corrections")
    manifest = (await learning.freeze()).manifest
    assert {(each.role, each.sha256) for each in attached} == {
        ("model", digest_of(contrary())), ("data", training.dataset), ("annotations", manifest.annotations.sha256),
        ("report", evaluation.report),
    }  # fmt: skip
    assert record is not None
    assert record.run is not None
    assert (record.trained, record.dataset, record.seed, record.parameters) == (
        "here", training.dataset, 7, {"weight": 3}
    )  # fmt: skip
    assert record.recipe == read_named(training.recipes, "learn")
    assert record.recipe_sha256 == recipe_digest(record.recipe)
    assert (record.run.job, record.run.log, record.run.exit_status) == (asked.id, done.result.log, 0)
    assert record.run.python.startswith("Python 3.")
    assert evaluation.id == done.result.evaluation
    assert evaluation.baseline == f"{MODEL}@1"
    kept = learning.scene.artifacts
    assert (await kept.get(record.recipe.files[0].sha256)).decode() == LEARN
    types = [each[0] for each in await learning.scene.events() if "train" in each[0]]
    assert types == ["training.asked", "training.started", "release.trained"]
    printed = msgspec.json.decode((await training.log(asked.id)).splitlines()[0])
    assert printed["there"] == [
        "contrary.onnx", "dataset/annotations.parquet", "dataset/items.parquet", "dataset/manifest.json",
        "parameters.json", "train.py", "wide.onnx",
    ]  # fmt: skip
    assert (printed["told"]["seed"], printed["told"]["parameters"]) == (7, {"weight": 3})


async def test_the_command_is_handed_the_training_split_alone(on_sqlite: Training, tmp_path: Path) -> None:
    """Neither items nor verdicts of the held-out split lie before it; everything of the other one does."""
    training, learning = on_sqlite, on_sqlite.learning
    write_recipe(training.recipes, "learn", LEARN)
    await training.declare("learn")
    await training.ask()
    async with learning.ledger.reading() as r:
        row = (await r.execute(select(JobRow.args))).scalar_one()
    manifest = (await learning.freeze()).manifest
    (folder := tmp_path / "handed").mkdir()
    await hand_over(learning.scene.artifacts, msgspec.json.decode(row, type=TrainArgs), manifest, folder)
    items = pq.read_table(folder / "dataset" / "items.parquet")
    whole = pq.read_table(learning.scene.artifacts.directory.path(manifest.items.sha256))
    assert set(items["split"].to_pylist()) == {"train"}
    assert items.num_rows == manifest.splits["train"] < whole.num_rows
    said = pq.read_table(folder / "dataset" / "annotations.parquet")
    assert said["prediction"].to_pylist() == items["prediction"].to_pylist()
    assert read_manifest((folder / "dataset" / "manifest.json").read_bytes()) == manifest


async def test_whatever_a_command_does_wrong_is_said(on_sqlite: Training, tmp_path: Path) -> None:
    """Each way to fail has its sentence; no version and no release comes of it."""
    training, scene = on_sqlite, on_sqlite.learning.scene
    for name, (script, why) in FAILURES.items():
        write_recipe(training.recipes, name, f"print('by {name}', flush=True)\n{script}", **LIMITS.get(name, {}))
        await training.declare(name)
        asked = await training.ask()
        (folder := tmp_path / name).mkdir()
        with pytest.raises(TrainingFailed, match=re.escape(why)):
            await train(training.learning.ledger, training.task(asked, folder))
        assert (folder / LOG).read_text().startswith(f"by {name}")
    assert (await scene.count(VersionRow), await scene.count(ReleaseRow)) == (1, 1)


async def test_a_failed_training_keeps_its_log(on_sqlite: Training) -> None:
    """Its job says why, what it printed is kept, its folder is gone, and it is told once."""
    training = on_sqlite
    write_recipe(training.recipes, "bad", "print('no luck'); raise SystemExit(3)")
    await training.declare("bad")
    asked = await training.ask()
    await training.worker.run()
    failed = await training.job(asked.id)
    assert (failed.state, failed.result.release) == ("failed", None)
    assert "ended with status 3" in (failed.error or "")
    assert failed.result.log is not None
    assert await training.log(asked.id) == "no luck\n"
    assert not (training.artifacts.parent / FOLDER / str(asked.id)).exists()
    types = [event for event, _ in await training.learning.scene.events() if "train" in event]
    assert types == ["training.asked", "training.started", "training.failed"]


async def test_a_cancelled_training_is_gone_with_all_that_it_started(on_sqlite: Training) -> None:
    """Its command and the command's own child; nothing was admitted, and it can be cancelled once."""
    training = on_sqlite
    write_recipe(training.recipes, "hang", HANG)
    await training.declare("hang")
    asked = await training.ask()
    running = asyncio.create_task(training.worker.run())
    pid = await training.pid_printed(asked.id)
    assert (await training.job(asked.id)).state == "running"
    assert psutil.pid_exists(pid)
    cancelled = await cancel(training.learning.ledger, training.operator, asked.id)
    assert cancelled.state == "cancelled"
    async with asyncio.timeout(60):
        await running
    assert await eventually(lambda: is_gone(pid), "the end of the command", 60.0)
    assert "pid" in await training.log(asked.id)
    assert await training.learning.scene.count(VersionRow) == 1
    with pytest.raises(JobOver):
        await cancel(training.learning.ledger, training.operator, asked.id)


async def test_a_training_whose_worker_is_killed_is_begun_again(on_sqlite: Training) -> None:
    """What the killed worker had started ends with it; the next one makes the one release."""
    training, again = on_sqlite, on_sqlite.recipes / "again"
    write_recipe(training.recipes, "twice", HANG_AT_FIRST.replace("AGAIN", str(again)))
    await training.declare("twice")
    asked = await training.ask()
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.learning.train_once"),
        *(training.learning.url, str(training.artifacts), str(training.recipes)),
    )
    pid = await training.pid_printed(asked.id)
    worker.kill()
    await worker.wait()
    assert await eventually(lambda: is_gone(pid), "the end of the command", 60.0)
    assert (await training.job(asked.id)).state == "running"
    again.touch()
    assert await training.worker.run()
    done = await training.job(asked.id)
    assert (done.state, done.starts, done.result.release) == ("done", 2, f"{MODEL}@2")
    assert await training.learning.scene.count(VersionRow) == 2


async def test_a_training_that_is_interrupted_again_and_again_is_given_up(on_sqlite: Training) -> None:
    """It is not begun a fourth time, and says so."""
    training = on_sqlite
    write_recipe(training.recipes, "learn", LEARN)
    await training.declare("learn")
    asked = await training.ask()
    async with training.learning.ledger.writing() as w:
        args = msgspec.json.decode((await w.execute(select(JobRow.args))).scalar_one(), type=TrainArgs)
        begun = msgspec.json.encode(msgspec.structs.replace(args, starts=3)).decode()
        assert await begin_job(w, asked.id, begun, await w.now_us())
    assert await training.worker.run()
    failed = await training.job(asked.id)
    assert (failed.state, failed.error) == ("failed", "It was interrupted 3 times, and is not begun again.")


async def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has asked for its status yet has ended, too."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
