"""Models within a memory: what does not fit is refused at the door, and what only is kept warm gives way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.inference.machine import Machine
from gateway.protocol.decode import Limits
from gateway.registry.adding import Adding, add
from gateway.registry.follower import Follower
from gateway.registry.live import releases_of
from gateway.registry.room import ModelsDoNotFit
from gateway.store.schema.serves import ModelRow
from review.release.promotion import Promotion, promote
from review.release.trials import Opening, open_trial
from tests.integration.registry.scene import CARD, open_scene
from tests.integration.release.scene import MODEL, Scene, operator_of
from tests.models import softmax

ONE = 20 << 20
"""Room for one session of a small model: it is counted with 16 MiB and twice its file."""
TWO = 40 << 20


def follower_of(scene: Scene, memory_max_bytes: int) -> Follower:
    """A gateway's follower with so much memory for its models."""
    registry, machine = scene.registry, Machine(memory_max_bytes=memory_max_bytes)
    return Follower(
        registry.ledger, registry.artifacts, registry.folder / "plan", limits=Limits(), threads=1, machine=machine
    )


def opened(follower: Follower) -> set[str]:
    """The releases that it has open; as many sessions as those are open at all, once nobody uses others."""
    found = {each.name for each in releases_of(follower.live.plan) if follower.live.is_ready(each)}
    assert len(follower._opener.cache.open_digests()) == len(found)
    return found


async def test_what_does_not_fit_is_refused_and_nothing_changes(scene: Scene) -> None:
    """A trial, and the first release of a further model; a promotion fits, because the previous gives way."""
    ledger, artifacts = scene.registry.ledger, scene.registry.artifacts
    number = await scene.another_file()
    before = await scene.registry.plan()
    with pytest.raises(ModelsDoNotFit, match=r"numbers@2 cannot be kept open: 33 MiB are needed .* is 20 MiB"):
        await open_trial(ledger, artifacts, scene.operator, MODEL, Opening(number=number, why="better"), ONE)
    file = scene.registry.folder / "second.onnx"
    file.write_bytes(softmax(5))
    second = Adding(tenant_id=scene.registry.tenant_id, name="second", file=file, card=CARD, by="person:ada")
    with pytest.raises(ModelsDoNotFit, match=r"second@1 .*: 33 MiB .* numbers@1 \(champion\) takes 17 MiB"):
        await add(ledger, artifacts, second, machine=Machine(memory_max_bytes=ONE))
    assert await scene.registry.plan() == before
    assert await scene.registry.count(ModelRow) == 1
    asked = Promotion(number=number, why="better", force=True)
    told = await promote(ledger, artifacts, scene.operator, MODEL, asked, ONE)
    assert told.moved is not None


@pytest.fixture
async def one_scene(sqlite_ledger_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """A model that serves its founding release, where the database makes no difference."""
    async with open_scene(sqlite_ledger_url, tmp_path) as registry:
        await registry.add()
        yield Scene(registry=registry, operator=operator_of(registry.tenant_id))


async def test_what_is_kept_warm_gives_way_and_a_rollback_does_not(one_scene: Scene) -> None:
    """A champion is never evicted, whatever the memory; what gave way is opened when it comes to serve."""
    scene = one_scene
    await scene.promote(await scene.another_file(), force=True)
    tight, roomy, narrow = (follower_of(scene, size) for size in (1, TWO, ONE))
    await tight.start()
    assert (opened(tight), tight.live.room.over) == ({"numbers@2"}, True)
    await tight.close()
    await roomy.start()
    assert opened(roomy) == {"numbers@2", "numbers@1"}
    await scene.promote(await scene.another_file("third"), force=True)
    assert await roomy.refresh()
    assert opened(roomy) == {"numbers@3", "numbers@2"}
    await roomy.close()
    await narrow.start()
    assert (opened(narrow), narrow.live.unready()) == ({"numbers@3"}, [])
    await scene.roll_back()
    assert await narrow.refresh()
    assert opened(narrow) == {"numbers@2"}
    assert narrow.live.model(scene.registry.tenant_id, MODEL).champion.name == "numbers@2"
    await narrow.close()
