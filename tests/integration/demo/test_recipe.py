"""The demo's recipe, through the real job: from sentences that people have judged to a release that knows them."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from demo.models.build import Props
from gateway.registry.adding import Adding, add
from gateway.store.models import versions_of
from review.learning.freezing import FreezeTask, freeze
from review.learning.recipes import declare_recipe
from review.learning.retraining import Trainings
from review.learning.trainings import Asked, JobShown, ask_training, list_jobs
from review.store.evaluations import find_release
from review.store.recipes import training_of
from tests.integration.registry.scene import Scene, open_scene
from tests.integration.release.scene import operator_of
from tests.outcomes import Settled, ground, settle

RECIPES = Path(__file__).parents[3] / "demo" / "models"
JUDGED = 150


@pytest.fixture
async def scene(sqlite_ledger_url: str, tmp_path: Path, props: Props) -> AsyncIterator[Scene]:
    """The demo's sentiment model with its recipe, and sentences that people have judged."""
    model = props.models[0]
    async with open_scene(sqlite_ledger_url, tmp_path) as opened:
        card = model.card.read_text(encoding="utf-8")
        adding = Adding(tenant_id=opened.tenant_id, name="sentiment", file=model.onnx, card=card, by="person:you@demo")
        await add(opened.ledger, opened.artifacts, adding)
        judged = [
            Settled(inputs={"text": np.array([[item.inputs[0].data[0]]], dtype=object)}, answers=(item.truth,))
            for item in props.held_out.items("sentiment")[:JUDGED]
        ]
        async with opened.ledger.writing() as w:
            await settle(w, await ground(w, "sentiment", tmp_path / "objects"), judged)
        await declare_recipe(opened.ledger, RECIPES, operator_of(opened.tenant_id), "sentiment", "sentiment")
        yield opened


async def trained(scene: Scene, dataset: str, **more: object) -> JobShown:
    """A training on the dataset, after its end."""
    asked = msgspec.convert({"dataset": dataset} | more, Asked)
    await ask_training(scene.ledger, RECIPES, operator_of(scene.tenant_id), "sentiment", asked)
    assert await Trainings(scene.ledger, scene.artifacts.directory.root, RECIPES).run()
    async with scene.ledger.reading() as r:
        return (await list_jobs(r, scene.tenant_id, "sentiment"))[0]


async def test_the_sentiment_model_learns_from_what_people_said(scene: Scene, sqlite_ledger_url: str) -> None:
    """The same dataset and seed make the same file; its code, data and environment are on record."""
    task = FreezeTask(
        ledger_url=sqlite_ledger_url, payloads_url=str(scene.folder / "objects"),
        artifacts=str(scene.artifacts.directory.root), tenant_id=scene.tenant_id, model="sentiment", by="person:you",
    )  # fmt: skip
    dataset = (await freeze(scene.ledger, task)).dataset
    once, again = await trained(scene, dataset), await trained(scene, dataset)
    assert (once.error, once.state, once.result.release) == (None, "done", "sentiment@2")
    assert again.result.release == "sentiment@3"
    assert once.result.evaluation is not None
    async with scene.ledger.reading() as r:
        found = await find_release(r, scene.tenant_id, "sentiment@2")
        assert found is not None
        third, second, first = await versions_of(r, found[1].id)
        record = await training_of(r, found[0])
    assert second.artifact == third.artifact != first.artifact
    assert record is not None
    assert {"demo/models/sentiment/retrain.py", "demo/models/sentiment/train.py"} <= {
        file.path for file in record.recipe.files
    }
    assert [file.path for file in record.recipe.data] == [".demo/data/vaderSentiment-0.5.zip"]
    assert record.recipe.lock is not None
    assert (record.dataset, record.seed, record.parameters) == (dataset, 7, {"weight": 1})
