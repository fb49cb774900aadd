"""Gateways follow a rollback at once: it waits for nothing that is opened only to be warm, nor for the plan's rest."""

import asyncio
from pathlib import Path
from uuid import UUID

from gateway.protocol.decode import Limits
from gateway.record.payloads import LocalObjects
from gateway.registry.follower import Follower
from tests.integration.release.scene import MODEL, Scene


class Slow(LocalObjects):
    """Artifacts that come when the test lets them."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked, self.open = asyncio.Event(), asyncio.Event()
        self.open.set()

    async def local_path(self, sha256: str) -> Path:
        self.asked.set()
        await self.open.wait()
        return await super().local_path(sha256)


async def test_a_rollback_is_followed_before_the_next_previous_is_open(scene: Scene) -> None:
    """The release that was kept warm answers while the one behind it is still being opened."""
    await scene.promote(await scene.release())
    await scene.promote(await scene.release())
    slow = Slow(scene.registry.artifacts.directory.root)
    follower = Follower(scene.registry.ledger, slow, scene.registry.folder / "plan", limits=Limits(), threads=1)
    await follower.start()
    slow.open.clear()
    slow.asked.clear()
    await scene.roll_back()
    refreshing = asyncio.create_task(follower.refresh())
    async with asyncio.timeout(10):
        await slow.asked.wait()
    model = follower.live.model(scene.registry.tenant_id, MODEL)
    assert model.champion.name == "numbers@2"
    assert follower.live.is_ready(model.champion)
    slow.open.set()
    assert await refreshing
    assert follower.live.unready() == []
    await follower.close()


async def test_a_champion_that_is_open_answers_before_the_plan_is_read(scene: Scene) -> None:
    """A pointer alone moves a model to a release that is kept warm; one that is not open here waits for its plan."""
    await scene.promote(await scene.release())
    follower = Follower(
        scene.registry.ledger, scene.registry.artifacts, scene.registry.folder / "plan", limits=Limits(), threads=1
    )
    await follower.start()
    model = follower.live.model(scene.registry.tenant_id, MODEL)
    assert (model.champion.name, model.previous and model.previous.name) == ("numbers@2", "numbers@1")
    assert model.previous is not None
    follower.live.point({model.id: model.previous.id})
    assert follower.live.model(scene.registry.tenant_id, MODEL).champion.name == "numbers@1"
    follower.live.point({model.id: UUID(int=7)})
    assert follower.live.model(scene.registry.tenant_id, MODEL).champion.name == "numbers@1"
    follower.live.point({})
    assert follower.live.model(scene.registry.tenant_id, MODEL).champion.name == "numbers@1"
    await follower.close()
