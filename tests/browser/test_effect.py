"""What a correction changed, in a real browser: it comes by itself, moves nothing, and goes with an undo."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import numpy as np
from playwright.sync_api import Page, expect
from sqlalchemy import insert, select

from gateway.holding.payload import InputPayload
from gateway.ids import new_id
from gateway.record.payloads import LocalObjects
from gateway.store.schema.serves import ArtifactRow, ReleaseRow, VersionRow
from gateway.times import now_us
from review.jobs import JobParts, make_jobs
from review.work import Work
from tests.browser.scene import Scene
from tests.browser.test_lane import front, judge, open_lane
from tests.models import text_classifier
from tests.worlds import CARD

SignIn = Callable[[str], Page]
PATIENCE_MS = 60_000
"""The bound is measured by a benchmark; here a busy machine may take its time."""
NEWER = re.compile(r"sentiment@2 would have said (negative: wrong|neutral: wrong|positive: right)\.")
LATER = "what a waste of money"


async def add_newer(scene: Scene, artifacts: LocalObjects) -> None:
    """A second release, whose version has a model file."""
    kept = await artifacts.put(text_classifier())
    async with scene.ledger.writing() as w:
        first = (await w.execute(select(ReleaseRow).where(ReleaseRow.id == scene.world.release_id))).scalar_one()
        version = (await w.execute(select(VersionRow).where(VersionRow.id == first.version_id))).scalar_one()
        now = {"created_us": now_us()}
        await w.execute(insert(ArtifactRow).values(**msgspec.structs.asdict(kept), kind="model", media_type="x", **now))
        values = {column.name: getattr(version, column.name) for column in VersionRow.__table__.columns}
        newer = {"id": new_id(), "number": 2, "artifact": kept.sha256, "upstream": None}
        card = {"card": msgspec.json.encode(msgspec.structs.replace(CARD, batch_axis=0)).decode()}
        await w.execute(insert(VersionRow).values(**(values | newer | card)))
        values = {column.name: getattr(first, column.name) for column in ReleaseRow.__table__.columns}
        await w.execute(
            insert(ReleaseRow).values(**(values | {"id": new_id(), "number": 2, "version_id": newer["id"]}))
        )


@contextmanager
def at_work(scene: Scene, folder: Path) -> Iterator[None]:
    """A worker on the scene's ledger."""
    parts = JobParts(
        ledger=scene.ledger,
        objects=scene.objects,
        traffic=folder / "traffic",
        artifacts=folder / "artifacts",
        payloads_url=str(folder / "objects"),
        recipes=None,
        traffic_keep_s=1e6,
    )

    async def start() -> "asyncio.Task[None]":
        await add_newer(scene, LocalObjects(folder / "artifacts"))
        return asyncio.create_task(Work(scene.ledger, "tests", make_jobs(parts), now_us).run())

    async def stop() -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    task = scene.run(start())
    try:
        yield
    finally:
        scene.run(stop())


def test_a_correction_shows_what_it_changed(scene: Scene, signed_in: SignIn, tmp_path: Path) -> None:
    """It comes below the next card without touching it or the focus, is read out, and goes when she takes it back."""
    for text in ("it died after a week", LATER):
        scene.hold_input(scene.world, InputPayload(inputs={"text": np.array([text], dtype=object)}))
    with at_work(scene, tmp_path):
        page = open_lane(scene, signed_in("ada"))
        judge(page, "3", "Corrected: negative → positive.")
        before = front(page).bounding_box()
        effect = page.locator("#effect")
        expect(effect).to_contain_text(NEWER, timeout=PATIENCE_MS)
        expect(effect).to_contain_text("sentiment@1 said negative; you said positive.")
        expect(effect).to_contain_text("Of 1 correction so far, sentiment@2 gets")
        expect(effect).to_be_in_viewport()
        expect(page.get_by_role("status")).to_contain_text("sentiment@2 would have said")
        assert front(page).bounding_box() == before
        expect(front(page).locator("blockquote")).to_have_text(LATER)
        expect(front(page).get_by_role("heading", level=2)).to_be_focused()
        page.reload()
        expect(effect).to_contain_text("sentiment@2 would have said")
        judge(page, "u", "Undone")
        expect(effect).to_be_hidden()
