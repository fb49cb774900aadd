"""Evaluating a release on both databases: the figures, the report, the evidence for the gate, and what is refused."""

from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import insert

from gateway.registry.adding import Adding, add
from gateway.store.schema.learning import EvaluationRow
from gateway.store.schema.serves import ReleaseArtifactRow
from review.learning.child import in_child
from review.learning.datasets import known_model
from review.learning.errors import NothingHeldOut, OtherModel, UnknownDataset, UnknownRelease
from review.learning.evaluating import EvaluateTask, evaluate
from review.learning.evaluations import list_evaluations, read_evaluation
from review.learning.evidence import latest_evaluation
from review.learning.fresh import FreshDatasets
from review.learning.learned import trained_with
from review.learning.manifest import PARQUET
from review.learning.report import Evaluated
from review.learning.splits import item_digests, split_of
from review.release.creating import Creating, create
from review.release.looking import show_release
from review.store.datasets import NewArtifact, keep_artifact
from review.store.evaluations import find_release, report_of
from tests.integration.learning.conftest import MODEL, SLICED, Learning
from tests.integration.release.scene import operator_of
from tests.models import softmax
from tests.outcomes import Settled, numbers
from tests.worlds import START_US

WEIGHTS = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
DRAWN = np.random.default_rng(3).normal(size=(160, 4)).round(3).astype(np.float32)
TRUTH = ["abc"[number % 3] for number in range(len(DRAWN))]


def turned() -> bytes:
    """The tests' small model with its weights turned around."""
    model = onnx.load_from_string(softmax())
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(-WEIGHTS, "w"))
    return bytes(model.SerializeToString())


async def add_candidate(learning: Learning, dataset: str = "") -> None:
    """A second release, which does not serve; trained with a dataset if one is named."""
    async with learning.ledger.reading() as r:
        model = await known_model(r, learning.scene.tenant_id, MODEL)
        trained = await trained_with(r, model, dataset) if dataset else {}
    file = learning.scene.folder / "turned.onnx"
    file.write_bytes(turned())
    adding = Adding(
        tenant_id=learning.scene.tenant_id, name=MODEL, file=file, card=SLICED, by="person:ada@example.org",
        attached=trained,
    )  # fmt: skip
    await add(learning.ledger, learning.scene.artifacts, adding)


async def frozen(learning: Learning) -> str:
    """A dataset of 160 items of one request each, audits that were drawn with a tenth."""
    await learning.settle(
        *(
            Settled(inputs=numbers(row), answers=(truth,), kind="audit", probability=0.1, facts={"shop": "north"})
            for row, truth in zip(DRAWN.tolist(), TRUTH, strict=True)
        )
    )
    return (await learning.freeze()).dataset


def task(learning: Learning, release: str, dataset: str, seed: int = 0) -> EvaluateTask:
    """What evaluating is asked."""
    return EvaluateTask(
        ledger_url=learning.url, artifacts=str(learning.scene.artifacts.directory.root),
        tenant_id=learning.scene.tenant_id, release=release, dataset=dataset, seed=seed, by="person:ada@example.org",
    )  # fmt: skip


async def learn_from_everything(learning: Learning, release_id: UUID) -> None:
    """Attach data to a release that calls every item training data."""
    items = (await learning.freeze()).manifest.items.sha256
    table = pq.read_table(learning.scene.artifacts.directory.path(items))
    split = pa.array(["train"] * table.num_rows)
    file = learning.scene.folder / "everything.parquet"
    pq.write_table(table.set_column(table.column_names.index("split"), "split", split), file)
    kept = await learning.scene.artifacts.put_file(file)
    async with learning.ledger.writing() as w:
        new = NewArtifact(sha256=kept.sha256, kind="data", bytes=kept.bytes, media_type=PARQUET, location=kept.location)
        await keep_artifact(w, new, START_US)
        await w.execute(insert(ReleaseArtifactRow).values(release_id=release_id, role="data", artifact=kept.sha256))


def expected() -> tuple[Any, Any]:
    """Of the held-out items, whether the champion and the candidate are right, by numpy alone."""
    held_out = [split_of(digest) == "held_out" for digest in item_digests({"x": DRAWN}, len(DRAWN))]
    rows, truth = DRAWN[held_out], np.array(TRUTH)[held_out]
    names = np.array(["a", "b", "c"])
    return names[(rows @ WEIGHTS).argmax(1)] == truth, names[(rows @ -WEIGHTS).argmax(1)] == truth


async def test_a_candidate_is_compared_with_the_champion_item_by_item(learning: Learning) -> None:
    """The figures are those that numpy finds over the held-out items alone, and each changed item is named."""
    await add_candidate(learning)
    dataset = await frozen(learning)
    done = await evaluate(learning.ledger, task(learning, f"{MODEL}@2", dataset[:12]))
    champion, candidate = expected()
    overall = done.comparisons[0]
    assert (overall.champion.value, overall.candidate.value) == (champion.mean(), candidate.mean())
    assert (overall.fixes, overall.breaks) == ((candidate & ~champion).sum(), (champion & ~candidate).sum())
    assert {each.what for each in done.comparisons} == {"overall", "size=0 and up", "size=below 0", "shop=north"}
    weighted = done.scores.weighted
    assert weighted is not None
    assert weighted.value == pytest.approx(candidate.mean())
    async with learning.ledger.reading() as r:
        report, html = await read_evaluation(r, learning.scene.artifacts, learning.scene.tenant_id, done.id)
        lines = await list_evaluations(r, learning.scene.tenant_id, MODEL)
        found = await find_release(r, learning.scene.tenant_id, f"{MODEL}@2")
        assert found is not None
        evidence = await latest_evaluation(r, found[0], learning.where.release_id)
        assert await latest_evaluation(r, learning.where.release_id, found[0]) is None
    assert [change.change for change in report.changes] == ["fixed"] * overall.fixes + ["broken"] * overall.breaks
    assert evidence is not None
    assert (evidence.dataset, evidence.held_out, evidence.overlap) == (dataset, len(champion), None)
    assert evidence.comparisons == done.comparisons
    assert [(line.release, line.baseline, line.fixes) for line in lines] == [
        (f"{MODEL}@2", f"{MODEL}@1", overall.fixes)
    ]
    page = html.decode()
    assert "<script" not in page
    assert page.count("<svg") >= 3
    assert all(change.prediction in page for change in report.changes)


async def test_the_same_evaluation_is_the_same_bytes(learning: Learning) -> None:
    """Here and in a child process: the same release, dataset and seed find what is there; one event tells."""
    await add_candidate(learning)
    dataset = await frozen(learning)
    one = await evaluate(learning.ledger, task(learning, f"{MODEL}@2", dataset))
    other = await in_child("learning.evaluating", task(learning, f"{MODEL}@2", dataset), Evaluated)
    assert (one.new, other.new, other.id) == (True, False, one.id)
    assert (other.report, other.html) == (one.report, one.html)
    seeded = await evaluate(learning.ledger, task(learning, f"{MODEL}@2", dataset, seed=1))
    assert seeded.new
    assert seeded.comparisons == one.comparisons
    told = [event for event in await learning.scene.events() if event[0] == "release.evaluated"]
    assert told == [("release.evaluated", f"model:{MODEL}")] * 2


async def test_inputs_that_a_release_learned_from_are_counted(learning: Learning) -> None:
    """Training on the dataset's own training split is clean; what held-out inputs it met shows as overlap."""
    dataset = await frozen(learning)
    await add_candidate(learning, dataset[:12])
    clean = await evaluate(learning.ledger, task(learning, f"{MODEL}@2", dataset))
    async with learning.ledger.reading() as r:
        found = await find_release(r, learning.scene.tenant_id, f"{MODEL}@2")
        assert found is not None
        before = await latest_evaluation(r, found[0], learning.where.release_id)
    assert before is not None
    assert before.overlap == 0
    assert "None of the held-out inputs is among those that it learned from." in clean.narrative
    await learn_from_everything(learning, found[0])
    met = await evaluate(learning.ledger, task(learning, f"{MODEL}@2", dataset))
    async with learning.ledger.reading() as r:
        evidence = await latest_evaluation(r, found[0], learning.where.release_id)
    assert evidence is not None
    assert met.new
    assert evidence.overlap == evidence.held_out == len(expected()[0])


async def test_data_annotations_and_reports_are_attached(learning: Learning) -> None:
    """What a version was trained with goes along with each of its releases; each comparison's report is attached, and
    the latest is the release's own; a report without a comparison is, while there is no other."""
    dataset = await frozen(learning)
    await add_candidate(learning, dataset)
    tenant_id, name = learning.scene.tenant_id, f"{MODEL}@2"
    asked = Creating(card=SLICED + "\n[policy]\nhold_below = 0.7\n", version=2, why="stricter")
    await create(learning.ledger, operator_of(tenant_id), MODEL, asked)
    annotations = (await learning.freeze()).manifest.annotations.sha256
    for number in (2, 3):
        shown = await show_release(learning.ledger, tenant_id, MODEL, number)
        assert {each.role: each.sha256 for each in shown.attached} == {
            "annotations": annotations, "data": dataset, "model": shown.digests["model file"],
        }  # fmt: skip
    first = await evaluate(learning.ledger, task(learning, f"{MODEL}@1", dataset))
    await evaluate(learning.ledger, task(learning, f"{MODEL}@1", dataset, seed=1))
    reports = [await evaluate(learning.ledger, task(learning, name, dataset, seed)) for seed in (0, 1)]
    for release, made in ((f"{MODEL}@1", [first]), (name, reports)):
        attached = (await show_release(learning.ledger, tenant_id, MODEL, int(release[-1]))).attached
        assert {each.sha256 for each in attached if each.role == "report"} == {each.report for each in made}
        async with learning.ledger.reading() as r:
            found = await find_release(r, tenant_id, release)
            assert found is not None
            own = await report_of(r, found[0])
        assert own is not None
        assert own.id == made[-1].id


async def test_what_is_no_dataset_of_the_model_is_not_attached(learning: Learning) -> None:
    """A dataset that nobody knows, or of another model, is refused."""
    dataset = await frozen(learning)
    await learning.scene.add("others", card=SLICED)
    async with learning.ledger.reading() as r:
        own = await known_model(r, learning.scene.tenant_id, MODEL)
        other = await known_model(r, learning.scene.tenant_id, "others")
        for model, wanted, error in ((own, "0" * 64, UnknownDataset), (other, dataset, OtherModel)):
            with pytest.raises(error):
                await trained_with(r, model, wanted)


async def test_the_champion_is_evaluated_by_itself_after_a_freeze(learning: Learning) -> None:
    """Once for each dataset, without a baseline; a second run of the job finds nothing to do."""
    fresh = FreshDatasets(learning.ledger, Path(learning.scene.artifacts.directory.root))
    assert await fresh.run() == 0
    await frozen(learning)
    assert [await fresh.run(), await fresh.run()] == [1, 0]
    async with learning.ledger.reading() as r:
        (line,) = await list_evaluations(r, learning.scene.tenant_id, f"{MODEL}@1")
    assert (line.baseline, line.fixes) == (None, None)
    assert line.right.value == expected()[0].mean()


async def test_what_cannot_be_measured_is_refused(learning: Learning) -> None:
    """No such release or dataset, a dataset of another model, or one that holds nothing out; nothing is kept."""
    await learning.scene.add("others", card=SLICED)
    train = next(row for row in DRAWN.tolist() if split_of(item_digests(numbers(row), 1)[0]) == "train")
    await learning.settle(Settled(inputs=numbers(train), answers=("a",)))
    dataset = (await learning.freeze()).dataset
    for release, of, error in (
        (f"{MODEL}@9", dataset, UnknownRelease),
        (MODEL, dataset, UnknownRelease),
        (f"{MODEL}@1", "0" * 64, UnknownDataset),
        ("others@1", dataset, OtherModel),
        (f"{MODEL}@1", dataset, NothingHeldOut),
    ):
        with pytest.raises(error):
            await evaluate(learning.ledger, task(learning, release, of))
    assert await learning.scene.count(EvaluationRow) == 0
