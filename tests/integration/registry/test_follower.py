"""Following: the plan is swapped when the bell rings, its sessions live as long as a request needs them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.access.keys import make_key
from gateway.errors import ModelNotReady
from gateway.inference.graphs import GraphCache
from gateway.record.payloads import LocalObjects
from gateway.registry import follower as following
from gateway.registry.follower import Follower
from gateway.store.halts import halt
from gateway.store.keys import add_key, revoke_key
from gateway.store.ledger import Ledger
from gateway.store.schema.serves import ModelRow
from gateway.times import now_us
from tests.integration.registry.scene import Scene

AWAY = "postgresql+asyncpg://nobody@127.0.0.1:1/none"


@asynccontextmanager
async def running(follower: Follower) -> AsyncIterator[Follower]:
    """The follower, started and following."""
    await follower.start()
    task = asyncio.create_task(follower.follow())
    try:
        yield follower
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await follower.close()


async def until(scene: Scene, condition: Any) -> None:
    """Return once the condition holds; it is looked at each time that the bell rings, or soon after."""
    with scene.ledger.bell.listen() as bell:
        async with asyncio.timeout(10):
            while not condition():
                await bell.wait(0.05)


async def test_a_model_is_served_once_it_was_added(both_scene: Scene) -> None:
    """A follower that runs finds a new model by the bell, opens it and swaps; its revision tells that it did."""
    async with running(both_scene.follower()) as follower:
        assert follower.loaded
        assert follower.live.plan.models == {}
        await both_scene.add()
        await until(both_scene, lambda: follower.live.plan.models)
        model = follower.live.model(both_scene.tenant_id, "numbers")
        assert follower.live.is_ready(model.champion)
        assert follower.live.plan.revision == (await both_scene.plan()).revision


async def test_a_halt_is_followed_with_the_same_session(both_scene: Scene) -> None:
    """What did not change is shared between the plan before and the plan after."""
    await both_scene.add()
    async with running(both_scene.follower()) as follower:
        model = follower.live.model(both_scene.tenant_id, "numbers")
        session = follower.live.live(model.champion).session
        async with both_scene.ledger.writing() as w:
            row = (await w.execute(select(ModelRow))).scalar_one()
            await halt(w, row, "refuse", by="person:ada@example.org", why="a test")
        await until(both_scene, lambda: follower.live.model(both_scene.tenant_id, "numbers").halt)
        after = follower.live.model(both_scene.tenant_id, "numbers")
        assert follower.live.live(after.champion).session is session


class FarObjects(LocalObjects):
    """Artifacts whose files do not come before somebody says so."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked, self.come = asyncio.Event(), asyncio.Event()

    async def local_path(self, sha256: str) -> Path:
        """Where the file is, once it may come."""
        self.asked.set()
        await self.come.wait()
        return await super().local_path(sha256)


async def test_a_key_does_not_wait_for_a_model_to_open(both_scene: Scene) -> None:
    """While a new model is opened, a new key works already, and a revoked one no longer does."""
    ledger, tenant_id, old, new = both_scene.ledger, both_scene.tenant_id, make_key(), make_key()
    more: dict[str, Any] = {"tenant_id": tenant_id, "scopes": ("predict:*",), "person_id": None, "expires_us": None}
    async with ledger.writing() as w:
        old_id = await add_key(w, old, name="old", **more)
    far = FarObjects(both_scene.folder / "artifacts")
    follower = both_scene.follower(artifacts=far)
    await follower.start()
    async with ledger.writing() as w:
        await add_key(w, new, name="new", **more)
        await revoke_key(w, tenant_id, old_id, await w.now_us())
    await both_scene.add()
    opening = asyncio.create_task(follower.refresh())
    await asyncio.wait_for(far.asked.wait(), 10)
    assert follower.live.plan.models == {}
    assert set(follower.live.plan.callers) == {bytes.fromhex(new.sha256)}
    far.come.set()
    assert await opening
    assert follower.live.model(tenant_id, "numbers")
    await follower.close()


async def test_a_request_keeps_its_sessions_to_its_end(scene: Scene) -> None:
    """A plan that was replaced closes its sessions when its last request has ended, and not before."""
    added = await scene.add()
    follower = scene.follower()
    await follower.start()
    cache = follower._opener.cache
    with follower.live.in_use() as live:
        await follower.close()
        session = live.live(live.model(scene.tenant_id, "numbers").champion).session
        assert cache.open_digests() == {added.artifact}
        assert session.signature.inputs[0].name == "x"
    assert cache.open_digests() == frozenset()


async def test_a_gateway_boots_from_its_snapshot_while_the_ledger_is_away(scene: Scene) -> None:
    """Plan and flags as they were last known, with their age: the models answer, and staleness is told truly."""
    await scene.add()
    before = scene.follower()
    await before.start()
    away = scene.follower(Ledger.open(AWAY))
    await away.start()
    assert away.loaded
    assert away.live.plan == before.live.plan
    assert away.flags.state == before.flags.state
    assert away.known_us == before.known_us
    assert away.flags.age_s(now_us()) > 0
    assert away.live.is_ready(away.live.model(scene.tenant_id, "numbers").champion)
    await before.close()
    await away.close()


async def test_without_ledger_and_snapshot_nothing_is_loaded(scene: Scene) -> None:
    """A fresh gateway whose ledger is away is not ready, and it does not fail."""
    follower = scene.follower(Ledger.open(AWAY))
    await follower.start()
    assert not follower.loaded


async def test_a_damaged_file_leaves_only_its_release_out(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other models serve; once the file is whole again, the release is opened without a change of the plan."""
    monkeypatch.setattr(following, "REOPEN_S", 0.0)
    await scene.add("good")
    damaged = await scene.add("bad", features=5)
    path = await scene.artifacts.local_path(damaged.artifact)
    whole = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(whole[:-1] + b"!")
    follower = scene.follower()
    await follower.start()
    assert follower.live.unready() == ["bad@1"]
    assert follower.live.is_ready(follower.live.model(scene.tenant_id, "good").champion)
    with pytest.raises(ModelNotReady):
        follower.live.live(follower.live.model(scene.tenant_id, "bad").champion)
    path.write_bytes(whole)
    assert await follower.refresh()
    assert follower.live.unready() == []
    await follower.close()


async def test_optimised_graphs_outlive_a_gateway_and_not_their_model(scene: Scene) -> None:
    """They are kept for the next start; those of models that no plan has are swept away."""
    added = await scene.add()
    graphs = GraphCache(scene.folder / "graphs", "a secret")
    stale = scene.folder / "graphs" / f"{'0' * 64}-1.0-cpu-all-0-0.onnx"
    stale.parent.mkdir()
    stale.write_bytes(b"old")
    follower = scene.follower(graphs=graphs)
    await follower.start()
    await follower.close()
    assert graphs.find(added.artifact) is not None
    assert not stale.exists()


async def test_a_plan_goes_live_when_its_sessions_have_been_run(scene: Scene) -> None:
    """At the first moment at which a request could meet a model, its session is warm: what a run costs is known."""
    await scene.add()
    follower = scene.follower()
    starting = asyncio.create_task(follower.start())
    async with asyncio.timeout(60):
        while not follower.live.plan.models:  # noqa: ASYNC110 - every turn of the loop is looked at
            await asyncio.sleep(0)
    champion = follower.live.model(scene.tenant_id, "numbers").champion
    assert follower.live.live(champion).session.cost.first_us < float("inf")
    await starting
    await follower.close()
