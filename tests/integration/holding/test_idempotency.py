"""Idempotency keys on both databases."""

import asyncio

import pytest
from sqlalchemy import update

from gateway.errors import LedgerUnavailable
from gateway.holding.errors import IdempotencyKeyInUse, IdempotencyKeyReused
from gateway.holding.idempotency import Begun, IdempotencyKeys
from gateway.reply import JSON, Reply
from gateway.store.idempotency import drop_expired_keys
from gateway.store.ledger import Ledger
from gateway.store.schema.predictions import IdempotencyRow
from tests.integration.holding.scene import Scene, tensors, told

ANSWER = Reply(200, JSON, b'{"outputs":[]}')


def keys(scene: Scene, *, lease_s: float = 30.0) -> IdempotencyKeys:
    return IdempotencyKeys(scene.ledger, "gateway-1", lease_s=lease_s)


async def begin(scene: Scene, key: str = "k", body: bytes = b"{}", *, lease_s: float = 30.0) -> Begun:
    return await keys(scene, lease_s=lease_s).begin(scene.caller(), "infer/sentiment/", key, body)


async def test_an_answer_is_repeated(scene: Scene) -> None:
    """The same key with the same body is told the same answer, byte for byte."""
    begun = await begin(scene)
    assert begun.claimed is not None
    await begun.claimed.finish(ANSWER)
    assert (await begin(scene)).answer == ANSWER


async def test_another_body_is_refused(scene: Scene) -> None:
    """A key that is sent with another body is 422, while it is decided and after."""
    begun = await begin(scene)
    with pytest.raises(IdempotencyKeyReused):
        await begin(scene, body=b"[]")
    assert begun.claimed is not None
    await begun.claimed.finish(ANSWER)
    with pytest.raises(IdempotencyKeyReused) as reused:
        await begin(scene, body=b"[]")
    assert (reused.value.status, reused.value.code) == (422, "idempotency-key-reused")


async def test_of_two_at_once_one_decides(scene: Scene) -> None:
    """The other one is told 409 with a time to come back."""
    begun = await asyncio.gather(*(begin(scene) for _ in range(4)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in begun) == ["Begun", *["IdempotencyKeyInUse"] * 3]
    assert IdempotencyKeyInUse.retry_after_s


async def test_nothing_is_kept_of_what_came_to_nothing(scene: Scene) -> None:
    """After an abandoned request the key is free, for any body; abandoning an answered one changes nothing."""
    begun = await begin(scene)
    assert begun.claimed is not None
    await begun.claimed.abandon()
    again = await begin(scene, body=b"[]")
    assert again.claimed is not None
    await again.claimed.finish(ANSWER)
    await again.claimed.abandon()
    assert (await begin(scene, body=b"[]")).answer == ANSWER


async def test_after_a_crash_a_retry_takes_over(scene: Scene) -> None:
    """Once the owner's lease is over the retry decides, and the old owner can no longer answer for the key."""
    crashed = await begin(scene, lease_s=-1.0)
    retry = await begin(scene)
    assert retry.claimed is not None
    assert crashed.claimed is not None
    await crashed.claimed.finish(Reply(200, JSON, b"late"))
    with pytest.raises(IdempotencyKeyInUse):
        await begin(scene)
    await retry.claimed.finish(ANSWER)
    assert (await begin(scene)).answer == ANSWER


async def test_a_key_with_a_hold_is_told_its_current_truth(scene: Scene) -> None:
    """The key is bound in the hold's own transaction; a retry meets the hold, then its answer, never a stored 202."""
    begun = await begin(scene)
    held = scene.held(respond_async=True)
    assert (await scene.holds.hold(held, begun.claimed)).status == 202
    met = await begin(scene)
    assert met.prediction_id == held.id
    waiting = asyncio.create_task(scene.holds.meet(held.id, scene.caller(), scene.held(request_id="retry").asked))
    await scene.until(lambda: scene.holds.waiting_count(scene.world.model_id) == 1)
    await scene.judge((await scene.cases(held.id))[0].id, "positive")
    reply = await waiting
    assert (told(reply)["id"], tensors(reply)["label"]) == ("retry", ["positive"])


async def test_keys_of_other_callers_and_routes_are_other_keys(scene: Scene) -> None:
    """A key belongs to its caller and its route."""
    first = await begin(scene)
    other = await keys(scene).begin(scene.caller(), "infer/digits/", "k", b"[]")
    assert first.claimed is not None
    assert other.claimed is not None


async def test_a_key_is_kept_as_long_as_its_hold(scene: Scene) -> None:
    """After its time a key is forgotten, save one whose hold is open."""
    await begin(scene, "old")
    begun = await begin(scene, "held")
    held = scene.held(respond_async=True)
    await scene.holds.hold(held, begun.claimed)
    async with scene.ledger.writing() as w:
        await w.execute(update(IdempotencyRow).values(expires_us=1))
    assert (await begin(scene, "held")).prediction_id == held.id
    async with scene.ledger.writing() as w:
        assert await drop_expired_keys(w, await w.now_us()) == 1
    await scene.judge((await scene.cases(held.id))[0].id, "positive")
    assert (await begin(scene, "held", b"[]")).claimed is not None


async def test_without_a_ledger_a_key_cannot_be_honoured(scene: Scene) -> None:
    """Rather than risk deciding twice, a request with a key is refused while the ledger is away."""
    away = Ledger.open("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    with pytest.raises(LedgerUnavailable):
        await IdempotencyKeys(away, "gateway-1").begin(scene.caller(), "r", "k", b"{}")
    await away.close()
