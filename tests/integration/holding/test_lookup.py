"""Asking for a prediction, withdrawing from it and reporting it, on both databases."""

import asyncio
from uuid import UUID

import msgspec
import pytest

from gateway.decision import Asked, SettledItem
from gateway.errors import Gone, UnknownPrediction
from gateway.holding import wishes
from gateway.holding.decided import DecidedPrediction, Unkept, decided, keep_payloads
from gateway.holding.errors import AlreadyDelivered, ReasonRefused
from gateway.holding.holds import open_holds
from gateway.holding.later import open_audits
from gateway.ids import new_id
from gateway.policy import Policy
from gateway.store.events import events_about
from gateway.store.schema.predictions import PredictionRow
from review.desk.expire import expire_due
from review.desk.undo import undo
from tests.integration.holding.scene import Scene, tensors, told
from tests.worlds import add_key

NOW = Asked()


async def _async_hold(scene: Scene, **fields: object) -> UUID:
    held = scene.held(respond_async=True, **fields)  # type: ignore[arg-type]
    await scene.holds.hold(held)
    return held.id


async def test_the_url_tells_the_latest_truth(scene: Scene) -> None:
    """202 while held, then 200; after an undo the told answer stays, marked as being revised, until the next one."""
    prediction_id = await _async_hold(scene)
    assert (await scene.holds.get(prediction_id, scene.caller(), NOW)).status == 202
    case_id = (await scene.cases(prediction_id))[0].id
    await scene.judge(case_id, "positive")
    assert tensors(await scene.holds.get(prediction_id, scene.caller(), NOW))["label"] == ["positive"]
    async with scene.ledger.writing() as w:
        await undo(w, scene.person("ada"), case_id, "slipped")
    reply = await scene.holds.get(prediction_id, scene.caller(), NOW)
    assert (reply.status, told(reply)["parameters"]["revising"]) == (200, True)
    await scene.judge(case_id, "neutral", "ben")
    assert tensors(await scene.holds.get(prediction_id, scene.caller(), NOW))["label"] == ["neutral"]
    assert await scene.deliveries(prediction_id) == [(1, "held", None), (2, "answer", 1), (3, "answer", 2)]


async def test_asking_twice_is_one_delivery(scene: Scene) -> None:
    """Telling the same again records nothing new."""
    prediction_id = await _async_hold(scene)
    await scene.judge((await scene.cases(prediction_id))[0].id, "positive")
    replies = [await scene.holds.get(prediction_id, scene.caller(), NOW) for _ in range(3)]
    assert len({reply.body for reply in replies}) == 1
    assert await scene.deliveries(prediction_id) == [(1, "held", None), (2, "answer", 1)]


async def test_a_long_poll_ends_with_the_verdict(scene: Scene) -> None:
    """`Prefer: wait=N` on the URL returns as soon as people have judged."""
    prediction_id = await _async_hold(scene)
    asked = Asked(wait_s=30, applied="wait=30")
    polling = asyncio.create_task(scene.holds.get(prediction_id, scene.caller(), asked))
    await scene.judge((await scene.cases(prediction_id))[0].id, "positive")
    reply = await polling
    assert (reply.status, reply.header("preference-applied")) == (200, "wait=30")


async def test_a_long_poll_that_ends_early_is_told_202(scene: Scene) -> None:
    """A wait on the URL that is over tells 202, never a fallback."""
    prediction_id = await _async_hold(scene)
    assert (await scene.holds.get(prediction_id, scene.caller(), Asked(wait_s=0.01))).status == 202


async def test_a_held_prediction_says_what_was_told_meanwhile(scene: Scene) -> None:
    """After a fallback the URL says 202, and its body what was told."""
    held = scene.held(policy=Policy(wait_cap_s=0.01))
    await scene.holds.hold(held)
    reply = await scene.holds.get(held.id, scene.caller(), NOW)
    assert (reply.status, told(reply)["parameters"]["delivered"]) == (202, "refusal")


async def test_an_expired_hold_says_what_the_fallback_said(scene: Scene) -> None:
    """When nobody ever judged, the URL tells the declared fallback."""
    prediction_id = await _async_hold(scene, policy=Policy(fallback="safe_value", safe_value="neutral"))
    async with scene.ledger.writing() as w:
        assert await expire_due(w, 2**60) == 1
    reply = await scene.holds.get(prediction_id, scene.caller(), NOW)
    assert (reply.status, tensors(reply)["label"]) == (200, ["neutral"])


async def test_only_its_caller_and_readers_see_a_prediction(scene: Scene) -> None:
    """Another key gets 404 unless it may read the model's predictions; a reader's look is no delivery."""
    prediction_id = await _async_hold(scene)
    await scene.judge((await scene.cases(prediction_id))[0].id, "positive")
    async with scene.ledger.writing() as w:
        other = await add_key(w, scene.world.tenant_id, "other")
    with pytest.raises(UnknownPrediction):
        await scene.holds.get(prediction_id, scene.caller(key_id=other), NOW)
    reader = scene.caller(key_id=other, scopes=frozenset({"read:sentiment"}))
    assert (await scene.holds.get(prediction_id, reader, NOW)).status == 200
    assert await scene.deliveries(prediction_id) == [(1, "held", None)]
    with pytest.raises(UnknownPrediction):
        await wishes.cancel(scene.holds, prediction_id, reader)


async def test_cancelling_closes_what_nobody_began(scene: Scene) -> None:
    """DELETE while nothing was delivered closes the open case with its event; the URL says 410 from then on."""
    prediction_id = await _async_hold(scene)
    await wishes.cancel(scene.holds, prediction_id, scene.caller())
    (case,) = await scene.cases(prediction_id)
    assert (case.state, case.closed_reason, case.version) == ("closed", "cancelled", 2)
    async with scene.ledger.reading() as r:
        assert [e.type for e in await events_about(r, f"case:{case.id}")] == ["case.opened", "case.closed"]
    reply = await scene.holds.get(prediction_id, scene.caller(), NOW)
    assert (reply.status, "cancelled" in told(reply)["error"]) == (410, True)
    assert await _async_hold(scene) != prediction_id


async def test_cancelling_a_case_in_judgement_lets_it_go_on(scene: Scene) -> None:
    """A claimed case stays with its reviewer, without a caller; its answer can still be asked for."""
    prediction_id = await _async_hold(scene)
    claim = await scene.claim((await scene.cases(prediction_id))[0].id)
    await wishes.cancel(scene.holds, prediction_id, scene.caller())
    (case,) = await scene.cases(prediction_id)
    assert (case.state, case.caller_waiting, case.caller_withdrew) == ("claimed", False, True)
    await scene.post(claim, "positive")
    assert (await scene.holds.get(prediction_id, scene.caller(), NOW)).status == 200


async def test_an_answer_cannot_be_cancelled(scene: Scene) -> None:
    """DELETE after a delivered answer is 409; after a refusal nothing was answered, and it is not."""
    prediction_id = await _async_hold(scene)
    await scene.judge((await scene.cases(prediction_id))[0].id, "positive")
    await scene.holds.get(prediction_id, scene.caller(), NOW)
    with pytest.raises(AlreadyDelivered):
        await wishes.cancel(scene.holds, prediction_id, scene.caller())
    refused = scene.held("another", policy=Policy(wait_cap_s=0.01))
    await scene.holds.hold(refused)
    await wishes.cancel(scene.holds, refused.id, scene.caller())


async def test_a_report_opens_one_case_an_item(scene: Scene) -> None:
    """However often an item is reported, there is one case; a reason is needed, and an item that exists."""
    prediction_id = await _async_hold(scene, items=2)
    for reason in ("wrong", "still wrong"):
        await wishes.report(scene.holds, prediction_id, scene.caller(), wishes.Report(reason=reason, item=2))
    reported = [case for case in await scene.cases(prediction_id) if case.kind == "report"]
    assert [(case.item, case.state, msgspec.json.decode(case.evidence)) for case in reported] == [
        (2, "open", {"reason": "wrong"})
    ]
    for wrong in (wishes.Report(reason=" "), wishes.Report(reason="x" * 2001), wishes.Report(reason="x", item=3)):
        with pytest.raises(ReasonRefused):
            await wishes.report(scene.holds, prediction_id, scene.caller(), wrong)


class Logged:
    """A traffic log with one automated prediction in it."""

    def __init__(self, prediction: DecidedPrediction) -> None:
        self.prediction = prediction

    async def find_automated(self, prediction_id: UUID) -> DecidedPrediction | None:
        return self.prediction if prediction_id == self.prediction.id else None


def automated(scene: Scene, **item: object) -> DecidedPrediction:
    """A prediction that was answered by the model."""
    held = scene.held(held=(), request_id="r-9")
    (settled,) = held.settled.items
    items = (msgspec.structs.replace(settled, **item),)
    whole = msgspec.structs.replace(held.settled, path="automated", rule="automated", items=items)
    prediction = decided(msgspec.structs.replace(held, settled=whole))
    return msgspec.structs.replace(prediction, response_digest="ab" * 32)


async def test_an_automated_prediction_is_told_and_reported_too(scene: Scene) -> None:
    """What only the traffic log has is told as it was answered; a report brings its row and delivery first."""
    prediction = automated(scene)
    opened = open_holds(scene.ledger, scene.objects, public_url="https://x.example", automated=Logged(prediction))
    async with opened as holds:
        reply = await holds.get(prediction.id, scene.caller(), NOW)
        assert (reply.status, told(reply)["parameters"]["review_status"]) == (200, "automated")
        assert await scene.count(PredictionRow) == 0
        with pytest.raises(UnknownPrediction):
            await holds.get(new_id(), scene.caller(), NOW)
        with pytest.raises(AlreadyDelivered):
            await wishes.cancel(holds, prediction.id, scene.caller())
        await wishes.report(holds, prediction.id, scene.caller(), wishes.Report(reason="no"))
        assert await scene.deliveries(prediction.id) == [(1, "answer", None)]
        (case,) = await scene.cases(prediction.id)
        assert (case.kind, case.priority) == ("report", 30)
        await scene.judge(case.id, "positive")
        assert tensors(await holds.get(prediction.id, scene.caller(), NOW))["label"] == ["positive"]
        assert (await scene.deliveries(prediction.id))[1:] == [(2, "answer", 1)]


class Uncaptured(Logged):
    """A traffic log that kept nothing of what was said."""

    async def find_automated(self, prediction_id: UUID) -> Unkept | None:  # type: ignore[override]
        found = await super().find_automated(prediction_id)
        return found and Unkept(
            tenant_id=found.tenant_id,
            api_key_id=found.api_key_id,
            model=found.said.model,
            why="answered without capture",
        )


async def test_what_was_answered_without_capture_is_gone_and_not_unknown(scene: Scene) -> None:
    """Its caller hears 410, also for a report, and that it was answered; to others there is no such prediction."""
    prediction = automated(scene)
    opened = open_holds(scene.ledger, scene.objects, public_url="https://x.example", automated=Uncaptured(prediction))
    async with opened as holds:
        with pytest.raises(Gone, match="was answered without capture"):
            await holds.get(prediction.id, scene.caller(), NOW)
        with pytest.raises(Gone):
            await wishes.report(holds, prediction.id, scene.caller(), wishes.Report(reason="no"))
        with pytest.raises(AlreadyDelivered):
            await wishes.cancel(holds, prediction.id, scene.caller())
        stranger = msgspec.structs.replace(scene.caller(), key_id=new_id(), scopes=frozenset())
        with pytest.raises(UnknownPrediction):
            await holds.get(prediction.id, stranger, NOW)


async def test_audits_are_opened_once_with_their_probability(scene: Scene) -> None:
    """Opening the audits of a prediction twice opens them once, with probability and draw as recorded."""
    prediction = automated(scene, audit_probability=0.02, audit_draw=0.015)
    kept = await keep_payloads(scene.objects, prediction)
    opened = []
    for _ in range(2):
        async with scene.ledger.writing() as w:
            opened.append(len(await open_audits(w, prediction, kept)))
    assert opened == [1, 0]
    (case,) = await scene.cases(prediction.id)
    assert (case.kind, case.inclusion_probability, case.draw, case.caller_waiting) == ("audit", 0.02, 0.015, False)
    assert await scene.deliveries(prediction.id) == [(1, "answer", None)]
    assert (await scene.holds.get(prediction.id, scene.caller(), NOW)).status == 200


def test_an_item_that_was_not_drawn_is_no_audit() -> None:
    """A draw at or above the probability selects nothing."""
    item = SettledItem(item=1, held=False, rule="automated", evidence={}, answer="a", score=1.0)
    assert not msgspec.structs.replace(item, audit_probability=0.5, audit_draw=0.5).audited
