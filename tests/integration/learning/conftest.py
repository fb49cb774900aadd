"""A served model with outcomes to learn from, once on each database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest

from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from review.learning.freezing import FreezeTask, Frozen, freeze
from tests.integration.registry.scene import CARD, Scene, open_scene
from tests.outcomes import Ground, Settled, ground, numbers, settle

SLICED = f"""{CARD}
[[slices]]
name = "size"
input = "x"
edges = [0.0]

[[slices]]
name = "shop"
parameter = "shop"
"""
MODEL = "numbers"


class Learning(msgspec.Struct, frozen=True, kw_only=True):
    """What a test of learning has in hand."""

    scene: Scene
    where: Ground
    url: str

    @property
    def ledger(self) -> Ledger:
        return self.scene.ledger

    @property
    def objects(self) -> LocalObjects:
        return LocalObjects(self.where.objects)

    def task(self, **more: object) -> FreezeTask:
        """What freezing is asked."""
        given = {
            "ledger_url": self.url, "payloads_url": str(self.where.objects),
            "artifacts": str(self.scene.artifacts.directory.root), "tenant_id": self.scene.tenant_id, "model": MODEL,
            "by": "person:ada@example.org",
        }  # fmt: skip
        return msgspec.convert(given | more, FreezeTask)

    async def freeze(self, **more: object) -> Frozen:
        """Freeze in this process."""
        return await freeze(self.ledger, self.task(**more))

    async def settle(self, *requests: Settled, at_us: int | None = None) -> list[str]:
        """Write settled requests; the ids of their predictions."""
        given = {} if at_us is None else {"at_us": at_us}
        async with self.ledger.writing() as w:
            return [str(each) for each in await settle(w, self.where, requests, **given)]

    async def many(self, count: int = 60, **more: object) -> list[str]:
        """Settled requests of one item each, all different; every fourth one a correction."""
        drawn = np.random.default_rng(7).normal(size=(count, 4)).round(3)
        answers = ["abc"[at % 3] for at in range(count)]
        said = ["abc"[(at + (at % 4 == 0)) % 3] for at in range(count)]
        return await self.settle(
            *(
                Settled(inputs=numbers(row), answers=(answers[at],), said=(said[at],), scores=(0.4 + at / 200,), **more)
                for at, row in enumerate(drawn.tolist())
            )
        )


@pytest.fixture
async def learning(ledger_url: str, tmp_path: Path) -> AsyncIterator[Learning]:
    """A model that serves, with nothing settled yet."""
    async with open_learning(ledger_url, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def open_learning(ledger_url: str, folder: Path) -> AsyncIterator[Learning]:
    """A model that serves on a migrated ledger, with nothing settled yet."""
    async with open_scene(ledger_url, folder) as scene:
        await scene.add(MODEL, card=SLICED)
        async with scene.ledger.writing() as w:
            where = await ground(w, MODEL, folder / "objects")
        yield Learning(scene=scene, where=where, url=ledger_url)
