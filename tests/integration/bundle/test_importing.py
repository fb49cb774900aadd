"""A bundle in another Lockgate: what it becomes there, what replays there, and what is refused."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.ids import new_id
from gateway.inference.refusals import NotOnnx
from gateway.inference.report import AdmissionLimits
from gateway.registry.adding import Adding, add
from gateway.store.events import latest_event
from gateway.store.schema.learning import DatasetItemRow, DatasetRow, EvaluationRow
from gateway.store.schema.serves import ReleaseRow, VersionRow
from review.bundle.errors import BundleDamaged, ImportRefused
from review.bundle.importing import Admission, Imported, bring_in
from review.bundle.replaying import replay
from review.bundle.taking import pieces, take
from review.bundle.verifying import require_whole
from review.errors import NotAllowed
from review.learning.datasets import diff_datasets
from review.learning.errors import DatasetImported
from review.learning.evaluating import EvaluateTask, evaluate
from review.learning.evaluations import list_evaluations
from review.learning.recipe import (
    Elsewhere,
    RecipeFile,
    Run,
    TrainingRecord,
    WrittenRecipe,
    declared_elsewhere,
    recipe_of,
)
from review.release.looking import list_releases, show_release
from review.store.datasets import NewArtifact, keep_artifact
from review.store.evaluations import find_release
from review.store.recipes import training_of
from tests.integration.bundle.forging import forged, says
from tests.integration.bundle.scene import Ready, make_ready, on_sqlite
from tests.integration.learning.conftest import MODEL, SLICED, Learning
from tests.integration.learning.test_evaluating import turned
from tests.integration.registry.scene import Scene, open_scene
from tests.integration.release.scene import operator_of

LIMITS = AdmissionLimits()


async def bring(scene: Scene, path: Path, **changes: Any) -> Imported:
    """Import a bundle as an operator."""
    actor = msgspec.structs.replace(operator_of(scene.tenant_id), **changes)
    return await bring_in(scene.ledger, scene.artifacts, actor, path, Admission(limits=LIMITS))


@on_sqlite
async def test_a_bundle_made_on_sqlite_replays_on_postgresql(
    learning: Learning, postgres_ledger_url: str, tmp_path: Path
) -> None:
    """It founds the model there with all that was attached; importing again changes nothing; taken there, it makes the
    very report of its origin; and evaluated there it is as good as it was."""
    ready = await make_ready(learning)
    path = await ready.file()
    (tmp_path / "elsewhere").mkdir()
    async with open_scene(postgres_ledger_url, tmp_path / "elsewhere") as there:
        imported = await bring(there, path)
        assert (imported.came_as, imported.release, imported.new, imported.founding) == (
            f"{MODEL}@2", f"{MODEL}@1", True, True,
        )  # fmt: skip
        await same_files(ready, there)
        again = await bring(there, path)
        assert (again.release, again.new) == (imported.release, False)
        assert [await there.count(table) for table in (ReleaseRow, VersionRow, DatasetRow, EvaluationRow)] == [1] * 4
        assert await there.count(DatasetItemRow) == 0
        await evaluated_there(ready, there, postgres_ledger_url)
        taken = await take(there.ledger, there.artifacts, operator_of(there.tenant_id), MODEL, 1, there.folder)
        back = there.folder / "back.zip"
        back.write_bytes(b"".join([piece async for piece in pieces(taken.file)]))
        async with there.ledger.reading() as r:
            event = await latest_event(r, there.tenant_id, f"model:{MODEL}", "release.imported")
            with pytest.raises(DatasetImported):
                await diff_datasets(r, there.tenant_id, ready.dataset, ready.dataset)
    assert event is not None
    assert msgspec.json.decode(event.data)["bundle"] == require_whole(path).bundle
    replayed = await replay(back)
    assert (replayed.made, replayed.difference) == (ready.evaluated.report, "")


async def same_files(ready: Ready, there: Scene) -> None:
    """The imported release has the attachments and documents of its origin, by digest."""
    here = ready.learning
    one = await show_release(here.ledger, here.scene.tenant_id, MODEL, 2)
    other = await show_release(there.ledger, there.tenant_id, MODEL, 1)
    assert (other.attached, other.digests) == (one.attached, one.digests)
    async with there.ledger.reading() as r:
        (line,) = await list_evaluations(r, there.tenant_id, MODEL)
    assert (line.report, line.html, line.baseline) == (ready.evaluated.report, ready.evaluated.html, f"{MODEL}@1")


async def evaluated_there(ready: Ready, there: Scene, url: str) -> None:
    """Evaluated on the imported dataset it has the scores that it had."""
    task = EvaluateTask(
        ledger_url=url, artifacts=str(there.artifacts.directory.root), tenant_id=there.tenant_id, release=f"{MODEL}@1",
        dataset=ready.dataset, seed=0, by="person:olga@example.org",
    )  # fmt: skip
    done = await evaluate(there.ledger, task)
    assert (done.scores, done.new) == (ready.evaluated.scores, True)


def without(path: str) -> Callable[[dict[str, bytes]], None]:
    """A change that takes a file away."""
    return lambda members: members.__delitem__(path)


@on_sqlite
async def test_what_does_not_belong_together_is_refused(learning: Learning) -> None:
    """Whatever was swapped in a bundle whose digests fit, nothing of it is kept; nor for a reviewer, nor of a damaged
    one. The bundle itself becomes one more release of a model that is there, which waits."""
    ready = await make_ready(learning)
    path, scene = await ready.file(), learning.scene
    for change, error, word in (
        (without("model.onnx"), ImportRefused, "It has no model file"),
        (without("card.json"), ImportRefused, "card, policy or label schema is missing"),
        (says("card.json", about=1), ImportRefused, "a document cannot be read"),
        (says("policy.json", hold_below=7), ImportRefused, "a document cannot be read"),
        (says("overrides.json", hold_below="much"), ImportRefused, "overrides do not fit"),
        (says("evaluation/report.json", dataset="0" * 64), ImportRefused, "dataset of its report is missing"),
        (says("evaluation/subject.json", dataset="0" * 64), ImportRefused, "about another evaluation"),
        (without("evaluation/champion.onnx"), ImportRefused, "compares with is missing"),
        (without("data/items.parquet"), ImportRefused, "not the file that data/manifest.json names"),
        (lambda members: members.update({"model.onnx": b"x"}), ImportRefused, "about another model file"),
    ):
        with pytest.raises(error, match=word):
            await bring(scene, forged(path, change))
    broken = path.with_name("broken.zip")
    broken.write_bytes(path.read_bytes().replace(b"Which class?", b"Which glass?"))
    with pytest.raises(BundleDamaged, match=r"guideline.md is changed"):
        await bring(scene, broken)
    with pytest.raises(NotAllowed):
        await bring(scene, path, roles=frozenset({("reviewer", None)}))
    no_model = forged(await ready.file(number=1), lambda members: members.update({"model.onnx": b"no model"}))
    with pytest.raises(NotOnnx):
        await bring(scene, no_model)
    assert len(await list_releases(learning.ledger, scene.tenant_id, MODEL)) == 2
    imported = await bring(scene, path)
    assert (imported.release, imported.founding) == (f"{MODEL}@3", False)
    assert (await list_releases(learning.ledger, scene.tenant_id, MODEL))[0].stands == "waits"


async def trained_here(learning: Learning) -> TrainingRecord:
    """A release 2 whose version was trained here; how."""
    scene = learning.scene
    log, code = [await scene.artifacts.put(data) for data in (b"fitted", b"fit(data)")]
    async with learning.ledger.writing() as w:
        for stored in (log, code):
            await keep_artifact(
                w, NewArtifact(**msgspec.structs.asdict(stored), kind="recipe", media_type="text/plain"), 1
            )
    written = WrittenRecipe(command=("python", "train.py"), files=("train.py",))
    recipe = recipe_of("fit", written, {"train.py": RecipeFile(path="train.py", sha256=code.sha256, bytes=code.bytes)})
    run = Run(
        job=new_id(), by="person:olga@example.org", started_us=1, seconds=2.0, exit_status=0, log=log.sha256,
        python="3.11", platform="Linux",
    )  # fmt: skip
    record = msgspec.structs.replace(declared_elsewhere(Elsewhere(recipe=recipe)), trained="here", run=run)
    file = scene.folder / "turned.onnx"
    file.write_bytes(turned())
    adding = Adding(
        tenant_id=scene.tenant_id, name=MODEL, file=file, card=SLICED, by="person:ada@example.org",
        recipe=msgspec.json.encode(record).decode(),
    )  # fmt: skip
    await add(learning.ledger, scene.artifacts, adding)
    return record


@on_sqlite
async def test_a_recipe_comes_along_as_declared_elsewhere(learning: Learning) -> None:
    """The bundle holds what ran and what it printed; whoever imports it knows of the training what they were told."""
    record, scene = await trained_here(learning), learning.scene
    taken = await take(scene.ledger, scene.artifacts, operator_of(scene.tenant_id), MODEL, 2, scene.folder)
    path = scene.folder / "bundle.zip"
    path.write_bytes(b"".join([piece async for piece in pieces(taken.file)]))
    with zipfile.ZipFile(path) as archive:
        assert msgspec.json.decode(archive.read("recipe.json"), type=TrainingRecord) == record
        assert archive.read("recipe/log.txt") == b"fitted"
        assert archive.read(f"recipe/{record.recipe.files[0].sha256}") == b"fit(data)"
    assert (await bring(scene, path)).release == f"{MODEL}@3"
    async with scene.ledger.reading() as r:
        found = await find_release(r, scene.tenant_id, f"{MODEL}@3")
        assert found is not None
        told = await training_of(r, found[0])
    assert told == msgspec.structs.replace(record, trained="elsewhere", run=None)
