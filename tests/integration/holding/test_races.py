"""Two who would tell at the same moment: exactly one truth is told, whatever ends a wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from gateway.errors import GatewayError, LedgerUnavailable
from gateway.holding import wishes
from gateway.holding.deliver import Deliveries
from gateway.holding.errors import AlreadyDelivered, HeldTooLong
from gateway.holding.holds import Holds, open_holds
from gateway.holding.seen import Seen
from gateway.holding.tell import Told, error_reply
from gateway.policy import Policy
from gateway.record.payloads import LocalObjects
from gateway.store import migrate, predictions
from gateway.store.ledger import Ledger
from review.desk.undo import undo
from tests.integration.holding.scene import Scene, tensors
from tests.servers.postgres import Postgres
from tests.worlds import Rules, add_revision, build_world


@asynccontextmanager
async def replica(scene: Scene) -> AsyncIterator[Holds]:
    """A second gateway over the same ledger, with connections of its own; rings reach both."""
    ledger = Ledger.open(scene.ledger.url, bell=scene.ledger.bell)
    try:
        async with open_holds(ledger, scene.objects, public_url="https://two.example") as holds:
            yield holds
    finally:
        await ledger.close()


def telling(kind: str, revision: int | None = None) -> Told:
    """Something to tell."""
    return Told(reply=error_reply(HeldTooLong(url=kind)), kind=kind, outcome_revision=revision)  # type: ignore[arg-type]


async def test_of_two_deliveries_one_wins(scene: Scene) -> None:
    """Two processes that saw the same and would tell different things: one is recorded, the other must look again."""
    held = scene.held(respond_async=True)
    await scene.holds.hold(held)
    async with scene.ledger.reading() as r:
        seen = (await predictions.see(r, [held.id]))[held.id]
    other = Ledger.open(scene.ledger.url)
    won = await asyncio.gather(
        Deliveries(scene.ledger).deliver(held.id, telling("answer", 1), seen),
        Deliveries(other).deliver(held.id, telling("refusal"), seen),
    )
    await other.close()
    assert sorted(won) == [False, True]
    assert len(await scene.deliveries(held.id)) == 2


async def test_callers_told_the_same_at_once_share_a_delivery(scene: Scene) -> None:
    """Joined callers of one process that tell the same thing at the same moment record it once, and all have won."""
    held = scene.held(respond_async=True)
    await scene.holds.hold(held)
    async with scene.ledger.reading() as r:
        seen = (await predictions.see(r, [held.id]))[held.id]
    deliveries = Deliveries(scene.ledger)
    assert (
        await asyncio.gather(*(deliveries.deliver(held.id, telling("answer", 1), seen) for _ in range(5))) == [True] * 5
    )
    assert (await scene.deliveries(held.id))[1:] == [(2, "answer", 1)]


async def test_two_replicas_tell_one_truth(scene: Scene) -> None:
    """Callers joined to one hold in two processes are told the same; the answer is delivered once."""
    async with replica(scene) as other:
        one = asyncio.create_task(scene.holds.hold(scene.held()))
        (prediction_id,) = await scene.until_held()
        two = asyncio.create_task(other.hold(scene.held()))
        await scene.until(lambda: other.waiting_count(scene.world.model_id) == 1)
        await scene.judge((await scene.cases(prediction_id))[0].id, "positive")
        replies = await asyncio.gather(one, two)
    assert [tensors(reply)["label"] for reply in replies] == [["positive"]] * 2
    assert await scene.deliveries(prediction_id) == [(1, "answer", 1)]


@pytest.mark.parametrize("wait_s", [0.0, 0.02, 0.05, 0.1, 0.2])
async def test_a_verdict_and_the_deadline_end_with_one_truth(scene: Scene, wait_s: float) -> None:
    """However close they are, what the caller was told is what is recorded as told first."""
    waiting = asyncio.create_task(scene.holds.hold(scene.held(wait_s=wait_s)))
    (prediction_id,) = await scene.until_held()
    claim = await scene.claim((await scene.cases(prediction_id))[0].id)
    reply, _ = await asyncio.gather(waiting, scene.post(claim, "positive"))
    (first, *later) = await scene.deliveries(prediction_id)
    assert first == ((1, "answer", 1) if reply.status == 200 else (1, "refusal", None))
    assert later == []
    assert (await scene.holds.get(prediction_id, scene.caller(), scene.held().asked)).status == 200


async def test_a_cancellation_and_a_verdict_end_with_one_truth(scene: Scene) -> None:
    """Either the answer was delivered and cannot be cancelled, or nothing was and the URL says what people said."""
    held = scene.held(respond_async=True)
    await scene.holds.hold(held)
    await scene.judge((await scene.cases(held.id))[0].id, "positive")
    cancelled, reply = await asyncio.gather(
        wishes.cancel(scene.holds, held.id, scene.caller()),
        scene.holds.get(held.id, scene.caller(), scene.held().asked),
        return_exceptions=True,
    )
    assert cancelled is None or isinstance(cancelled, AlreadyDelivered)
    assert not isinstance(reply, BaseException)
    assert reply.status == 200


async def test_a_cancelled_hold_tells_its_waiting_caller_so(scene: Scene) -> None:
    """A DELETE on another connection ends the wait at once, with 410 and no delivery."""
    waiting = asyncio.create_task(scene.holds.hold(scene.held()))
    (prediction_id,) = await scene.until_held()
    await wishes.cancel(scene.holds, prediction_id, scene.caller())
    assert (await waiting).status == 410
    assert await scene.deliveries(prediction_id) == []


async def test_a_disconnect_keeps_the_hold(scene: Scene) -> None:
    """A caller that hangs up is shown as gone; its neighbour waits on, and the URL tells the answer later."""
    gone = asyncio.create_task(scene.holds.hold(scene.held("one")))
    stays = asyncio.create_task(scene.holds.hold(scene.held("two")))
    await scene.until_held(2)
    await scene.until(lambda: scene.holds.waiting_count(scene.world.model_id) == 2)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    await scene.holds.close()
    assert scene.holds.waiting_count(scene.world.model_id) == 1
    found = [(await scene.cases(each))[0] for each in await scene.prediction_ids()]
    assert sorted(case.caller_waiting for case in found) == [False, True]
    for case in found:
        await scene.judge(case.id, "positive")
    assert (await stays).status == 200
    left = next(case.prediction_id for case in found if not case.caller_waiting)
    assert await scene.deliveries(left) == []
    assert (await scene.holds.get(left, scene.caller(), scene.held().asked)).status == 200


async def test_a_disconnect_leaves_a_joined_caller_waiting(scene: Scene) -> None:
    """While another caller waits for the same hold, it is not shown as left."""
    first = asyncio.create_task(scene.holds.hold(scene.held()))
    (prediction_id,) = await scene.until_held()
    second = asyncio.create_task(scene.holds.hold(scene.held()))
    await scene.until(lambda: scene.holds.waiting_count(scene.world.model_id) == 2)
    first.cancel()
    await asyncio.wait([first])
    await scene.holds.close()
    assert (await scene.cases(prediction_id))[0].caller_waiting
    await scene.judge((await scene.cases(prediction_id))[0].id, "positive")
    assert (await second).status == 200


async def test_a_disconnect_while_the_hold_is_opened_loses_nothing(scene: Scene) -> None:
    """Disconnecting is not cancelling: the hold is committed all the same, without a waiting caller."""
    opening = asyncio.create_task(scene.holds.hold(scene.held()))
    await asyncio.sleep(0)
    opening.cancel()
    await asyncio.wait([opening])
    await scene.holds.close()
    (prediction_id,) = await scene.prediction_ids()
    (case,) = await scene.cases(prediction_id)
    assert (case.state, case.caller_waiting) == ("open", False)


async def test_a_shutdown_tells_503_with_the_url(scene: Scene) -> None:
    """Who waits when the process ends is told where the answer will be, and that is recorded; others are untouched."""
    async with replica(scene) as other:
        waiting = asyncio.create_task(
            other.hold(scene.held(policy=Policy(fallback="safe_value", safe_value="neutral")))
        )
        (prediction_id,) = await scene.until_held()
        await scene.until(lambda: other.waiting_count(scene.world.model_id) == 1)
        other.shut_down()
        reply = await waiting
    assert (reply.status, reply.header("location")) == (503, f"/v2/predictions/{prediction_id}")
    assert await scene.deliveries(prediction_id) == [(1, "refusal", None)]
    await scene.judge((await scene.cases(prediction_id))[0].id, "positive")
    assert (await scene.holds.get(prediction_id, scene.caller(), scene.held().asked)).status == 200


async def test_a_cancelled_delivery_leaves_its_neighbours(scene: Scene) -> None:
    """A caller that goes while its delivery is written takes nobody else's with it."""
    first, second = scene.held("one", respond_async=True), scene.held("two", respond_async=True)
    for held in (first, second):
        await scene.holds.hold(held)
    seen = Seen(now_us=0, deliveries=(await _seen(scene, first.id)).deliveries)
    deliveries = Deliveries(scene.ledger)
    going = asyncio.create_task(deliveries.deliver(first.id, telling("answer", 1), seen))
    staying = asyncio.create_task(deliveries.deliver(second.id, telling("answer", 1), seen))
    await asyncio.sleep(0)
    going.cancel()
    assert await staying
    assert len(await scene.deliveries(first.id)) == 2


async def _with_grace(scene: Scene, undo_grace_s: float) -> Scene:
    """The scene with a queue in which outcomes are released a little later."""
    async with scene.ledger.writing() as w:
        revision_id = await add_revision(w, scene.world.queue_id, 2, Rules(undo_grace_s=undo_grace_s))
    world = msgspec.structs.replace(scene.world, queue_revision_id=revision_id)
    return msgspec.structs.replace(scene, world=world)


async def _seen(scene: Scene, prediction_id: object) -> Seen:
    async with scene.ledger.reading() as r:
        (seen,) = (await predictions.see(r, [prediction_id])).values()  # type: ignore[list-item]
    return seen


async def test_without_a_ledger_nothing_is_held(scene: Scene) -> None:
    """A hold that cannot be committed is refused with 503, before anybody waits."""
    away = Ledger.open("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    async with open_holds(away, scene.objects, public_url="") as holds:
        with pytest.raises(LedgerUnavailable) as refused:
            await holds.hold(scene.held())
    await away.close()
    assert (refused.value.status, refused.value.code) == (503, "ledger-unavailable")
    assert isinstance(refused.value, GatewayError)
    assert refused.value.retry_after_s


async def test_an_outcome_in_its_grace_is_told_when_it_is_released(scene: Scene) -> None:
    """While a verdict may still be undone nothing is told; the caller is answered at its release, without a ring."""
    slow = await _with_grace(scene, 0.3)
    waiting = asyncio.create_task(slow.holds.hold(slow.held()))
    (prediction_id,) = await slow.until_held()
    await slow.judge((await slow.cases(prediction_id))[0].id, "positive")
    assert await slow.deliveries(prediction_id) == []
    reply = await waiting
    seen = await _seen(slow, prediction_id)
    assert reply.status == 200
    assert seen.outcomes[0].release_after_us <= seen.now_us


async def test_an_undone_verdict_that_was_not_released_is_never_told(scene: Scene) -> None:
    """Undo within the grace: the caller waits on and is answered with the next round's outcome."""
    slow = await _with_grace(scene, 2.0)
    waiting = asyncio.create_task(slow.holds.hold(slow.held()))
    (prediction_id,) = await slow.until_held()
    case_id = (await slow.cases(prediction_id))[0].id
    await slow.judge(case_id, "positive")
    async with slow.ledger.writing() as w:
        await undo(w, slow.person(), case_id, "slipped")
    await slow.judge(case_id, "neutral")
    assert tensors(await waiting)["label"] == ["neutral"]
    assert await slow.deliveries(prediction_id) == [(1, "answer", 2)]


async def test_a_ledger_that_goes_away_while_a_caller_waits(postgres_server: Postgres, tmp_path: Path) -> None:
    """A caller whose deadline comes while the ledger is away is told 503 with the prediction's URL."""
    await migrate.upgrade(postgres_server.url)
    ledger = Ledger.open(postgres_server.url)
    async with ledger.writing() as w:
        world = await build_world(w, tenant="shop")
    objects = LocalObjects(tmp_path)
    async with open_holds(ledger, objects, public_url="") as holds:
        scene = Scene(ledger=ledger, objects=objects, world=world, holds=holds)
        waiting = asyncio.create_task(holds.hold(scene.held(wait_s=2.0)))
        (prediction_id,) = await scene.until_held()
        await asyncio.to_thread(postgres_server.kill)
        reply = await waiting
    await ledger.close()
    assert (reply.status, reply.header("location")) == (503, f"/v2/predictions/{prediction_id}")
    assert b"ledger-unavailable" in reply.body
