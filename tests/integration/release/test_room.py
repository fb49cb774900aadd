"""Models within a memory: what does not fit is refused at the door, and what only is kept warm gives way."""

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
from tests.integration.registry.scene import CARD
from tests.integration.release.scene import MODEL, Scene
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


async def require_kept(scene: Scene, memory_max_bytes: int, releases: set[str], *, over: bool) -> None:
    """Return if a gateway with so much memory has these releases open, and says whether that is too much."""
    follower = follower_of(scene, memory_max_bytes)
    await follower.start()
    assert {seat.release for seat in follower.live.room.kept} == releases
    assert all(follower.live.is_ready(each) for each in releases_of(follower.live.plan) if each.name in releases)
    assert follower.live.room.over is over
    await follower.close()


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


async def test_a_rollback_is_followed_although_the_previous_was_left_cold(scene: Scene) -> None:
    """A champion is never evicted, whatever the memory; what gave way is opened when it comes to serve."""
    await scene.promote(await scene.another_file(), force=True)
    await require_kept(scene, TWO, {"numbers@2", "numbers@1"}, over=False)
    await require_kept(scene, 1, {"numbers@2"}, over=True)
    follower = follower_of(scene, ONE)
    await follower.start()
    model = follower.live.model(scene.registry.tenant_id, MODEL)
    assert model.previous is not None
    assert (follower.live.is_ready(model.champion), follower.live.is_ready(model.previous)) == (True, False)
    assert (follower.live.unready(), follower.live.room.over) == ([], False)
    assert [seat.release for seat in follower.live.room.cold] == ["numbers@1"]
    await scene.roll_back()
    assert await follower.refresh()
    back = follower.live.model(scene.registry.tenant_id, MODEL)
    assert (back.champion.name, follower.live.is_ready(back.champion)) == ("numbers@1", True)
    assert len(follower._opener.cache.open_digests()) == 1
    await follower.close()
