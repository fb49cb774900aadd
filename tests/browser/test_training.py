"""Retraining in a real browser: the recipe, the trigger, and a training that is followed and cancelled."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from playwright.sync_api import Page, expect

from gateway.labels import LabelSchema
from review.learning.jobs import FOLDER, LOG
from review.learning.manifest import FORMAT, File, Manifest, manifest_bytes
from review.store.datasets import NewDataset, insert_dataset
from review.store.jobs import begin_job, find_job, note_progress
from tests.browser.scene import Scene
from tests.integration.learning.recipes import LEARN, write_recipe

SignIn = Callable[[str], Page]
FILE = File(sha256="f" * 64, bytes=1, rows=40)


def test_a_training_is_begun_followed_and_cancelled(scene: Scene, signed_in: SignIn, tmp_path: Path) -> None:
    """A recipe is declared, a trigger set and a training asked for; its progress and log come by themselves."""
    write_recipe(tmp_path / "recipes", "learn", LEARN)
    scene.run(freeze(scene))
    page = signed_in("olga")
    page.goto(f"{scene.url}/console/models/sentiment")
    expect(page.get_by_text("no recipe is recorded")).to_be_visible()
    page.get_by_role("link", name="Retraining").click()
    page.get_by_role("button", name="Declare it").click()
    expect(page.get_by_text("train.py", exact=True)).to_be_visible()
    page.get_by_label("New corrections").fill("50")
    page.get_by_label("New corrections").press("Enter")
    expect(page.get_by_label("New corrections")).to_have_value("50")
    page.get_by_label("Why").fill("October")
    page.get_by_role("button", name="Train sentiment").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Training of sentiment")
    expect(page.get_by_text("waiting")).to_be_visible()

    job_id = UUID(page.url.rpartition("/")[2])
    log = tmp_path / FOLDER / str(job_id) / LOG
    log.parent.mkdir(parents=True)
    log.write_text("40 sentences\n<b>epoch</b> 1\n")
    scene.run(go_on(scene, job_id, 0.42))
    expect(page.get_by_text("42 %").first).to_be_visible()
    expect(page.locator("pre")).to_contain_text("<b>epoch</b> 1")
    page.get_by_role("button", name="Cancel this training").press("Enter")
    expect(page.get_by_text("cancelled")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel this training")).to_have_count(0)
    page.get_by_role("link", name="Retraining").click()
    expect(page.get_by_role("listitem").filter(has_text="October")).to_contain_text("cancelled")


async def freeze(scene: Scene) -> None:
    """Put a dataset into the ledger."""
    manifest = Manifest(
        format=FORMAT, model="sentiment", labels=LabelSchema(kind="text"), items=FILE, annotations=FILE,
        splits={"train": 32, "held_out": 8}, kinds={}, sources={}, classes={}, slices=(), left_out={}, warnings=(),
    )  # fmt: skip
    async with scene.ledger.writing() as w:
        new = NewDataset(
            sha256="d" * 64, tenant_id=scene.world.tenant_id, model_id=scene.world.model_id, model="sentiment",
            manifest=manifest_bytes(manifest).decode(), items=40, by="person:olga", at_us=await w.now_us(),
        )  # fmt: skip
        await insert_dataset(w, new)


async def go_on(scene: Scene, job_id: UUID, progress: float) -> None:
    """Be the worker who has begun the training and is so far."""
    async with scene.ledger.writing() as w:
        job = await find_job(w, scene.world.tenant_id, job_id)
        assert job is not None
        assert await begin_job(w, job_id, job.args, await w.now_us())
        assert await note_progress(w, job_id, progress, await w.now_us())
