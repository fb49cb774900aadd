"""A hold, seen by its caller, on both databases."""

import asyncio

import numpy as np

from gateway.policy import Policy
from gateway.store.events import events_about
from tests.integration.holding.scene import CLASSES, Scene, tensors, told


async def test_a_waiting_caller_is_answered_with_the_correction(scene: Scene) -> None:
    """The verdict's answer leaves as tensors that agree with each other, and is recorded once before it leaves."""
    held = scene.held(request_id="r-1")
    waiting = asyncio.create_task(scene.holds.hold(held))
    (prediction_id,) = await scene.until_held()
    (case,) = await scene.cases(prediction_id)
    assert (case.state, case.caller_waiting, case.priority) == ("open", True, 10)
    await scene.judge(case.id, "positive")
    reply = await waiting
    assert reply.status == 200
    body, outputs = told(reply), tensors(reply)
    assert body["id"] == "r-1"
    assert body["parameters"] == {
        "prediction_id": str(held.id),
        "path": "review",
        "rule": "low_confidence",
        "release": "sentiment@1",
        "flag_state": "none",
        "review_status": "corrected",
    }
    assert outputs["label"] == ["positive"]
    assert CLASSES[int(np.argmax(outputs["probabilities"]))] == "positive"
    assert await scene.deliveries(held.id) == [(1, "answer", 1)]


async def test_an_approval_keeps_the_models_own_tensors(scene: Scene) -> None:
    """What a person agrees with leaves as the model said it, as `approved`."""
    held = scene.held()
    waiting = asyncio.create_task(scene.holds.hold(held))
    (prediction_id,) = await scene.until_held()
    await scene.judge((await scene.cases(prediction_id))[0].id, "negative")
    reply = await waiting
    assert told(reply)["parameters"]["review_status"] == "approved"
    assert np.allclose(tensors(reply)["probabilities"], [0.41, 0.30, 0.29])


async def test_one_doubtful_row_of_many_is_held_and_the_whole_answered(scene: Scene) -> None:
    """A request of 32 rows with one doubtful row has one case; the other rows keep the model's answer."""
    waiting = asyncio.create_task(scene.holds.hold(scene.held(items=32, held=(7,))))
    (prediction_id,) = await scene.until_held()
    (case,) = await scene.cases(prediction_id)
    assert case.item == 7
    await scene.judge(case.id, "neutral")
    labels = tensors(await waiting)["label"]
    assert labels == ["negative"] * 6 + ["neutral"] + ["negative"] * 25


async def test_the_answer_leaves_with_the_last_held_item(scene: Scene) -> None:
    """While one of two held items is with people, nothing is told."""
    waiting = asyncio.create_task(scene.holds.hold(scene.held(items=2, held=(1, 2))))
    (prediction_id,) = await scene.until_held()
    one, two = await scene.cases(prediction_id)
    await scene.judge(one.id, "positive")
    assert await scene.deliveries(prediction_id) == []
    await scene.judge(two.id, "neutral")
    assert tensors(await waiting)["label"] == ["positive", "neutral"]
    assert await scene.deliveries(prediction_id) == [(1, "answer", 2)]


async def test_a_hold_has_its_events_in_its_own_transaction(scene: Scene) -> None:
    """`prediction.held` and `case.opened` are there as soon as the hold is."""
    reply = await scene.holds.hold(scene.held(respond_async=True))
    (prediction_id,) = await scene.prediction_ids()
    (case,) = await scene.cases(prediction_id)
    async with scene.ledger.reading() as r:
        assert [event.type for event in await events_about(r, f"prediction:{prediction_id}")] == ["prediction.held"]
        assert [event.type for event in await events_about(r, f"case:{case.id}")] == ["case.opened"]
    assert reply.status == 202


async def test_async_is_told_at_once_where_to_ask(scene: Scene) -> None:
    """A 202 carries URL, retry time and a body that stock clients survive; nobody is shown as waiting."""
    held = scene.held(respond_async=True, applied="respond-async")
    reply = await scene.holds.hold(held)
    url = f"/v2/predictions/{held.id}"
    assert (reply.status, reply.header("location")) == (202, url)
    assert reply.header("content-type") == "application/json"
    assert reply.header("preference-applied") == "respond-async"
    assert reply.header("retry-after")
    body = told(reply)
    assert body["outputs"] == []
    assert body["error"] == f"held for human review: GET {url}"
    assert body["parameters"]["review_status"] == "held"
    assert await scene.deliveries(held.id) == [(1, "held", None)]
    assert not (await scene.cases(held.id))[0].caller_waiting


async def test_nobody_in_time_is_a_refusal_with_the_url(scene: Scene) -> None:
    """The default fallback is 503 with the prediction's URL; the case stays, its caller shown as gone."""
    held = scene.held(policy=Policy(wait_cap_s=0.01))
    reply = await scene.holds.hold(held)
    assert (reply.status, reply.header("location")) == (503, f"/v2/predictions/{held.id}")
    assert reply.header("retry-after") == "10"
    assert told(reply)["type"].endswith("held-too-long")
    (case,) = await scene.cases(held.id)
    assert (case.state, case.caller_waiting, case.priority) == ("open", False, 20)
    assert await scene.deliveries(held.id) == [(1, "refusal", None)]


async def test_the_declared_safe_value_answers_when_nobody_does(scene: Scene) -> None:
    """A safe value is a 200 whose held rows carry it, as `fallback`."""
    policy = Policy(wait_cap_s=0.01, fallback="safe_value", safe_value="neutral")
    held = scene.held(policy=policy, items=2, held=(2,))
    reply = await scene.holds.hold(held)
    assert tensors(reply)["label"] == ["negative", "neutral"]
    assert told(reply)["parameters"]["review_status"] == "fallback"
    assert await scene.deliveries(held.id) == [(1, "fallback", None)]


async def test_a_short_wait_does_not_bring_the_models_answer(scene: Scene) -> None:
    """Provisional needs `provisional_after_s`; a caller who waits less is refused."""
    policy = Policy(fallback="provisional", provisional_rules=("below_threshold",), provisional_after_s=5.0)
    assert (await scene.holds.hold(scene.held(policy=policy, wait_s=0.01))).status == 503
    policy = Policy(fallback="provisional", provisional_rules=("below_threshold",), provisional_after_s=0.0)
    reply = await scene.holds.hold(scene.held("again", policy=policy, wait_s=0.01))
    assert told(reply)["parameters"]["review_status"] == "provisional"


async def test_unanswerable_refuses_the_caller(scene: Scene) -> None:
    """When no answer is right the caller is told 422 of that type, as an outcome."""
    waiting = asyncio.create_task(scene.holds.hold(scene.held()))
    (prediction_id,) = await scene.until_held()
    await scene.judge((await scene.cases(prediction_id))[0].id, None)
    reply = await waiting
    assert reply.status == 422
    assert told(reply)["type"].endswith("unanswerable")
    assert await scene.deliveries(prediction_id) == [(1, "refusal", 1)]


async def test_an_equal_retry_joins_the_open_hold(scene: Scene) -> None:
    """Two equal requests of one caller are one prediction; both are told the same, under their own request ids."""
    first = asyncio.create_task(scene.holds.hold(scene.held(request_id="one")))
    (prediction_id,) = await scene.until_held()
    second = asyncio.create_task(scene.holds.hold(scene.held(request_id="two")))
    await scene.until(lambda: scene.holds.waiting_count(scene.world.model_id) == 2)
    await scene.judge((await scene.cases(prediction_id))[0].id, "positive")
    one, two = told(await first), told(await second)
    assert (one.pop("id"), two.pop("id")) == ("one", "two")
    assert one == two
    assert await scene.prediction_ids() == [prediction_id]
    assert await scene.deliveries(prediction_id) == [(1, "answer", 1)]


async def test_equal_requests_at_the_same_instant_are_one_hold(scene: Scene) -> None:
    """The unique index decides a race; the loser joins."""
    replies = await asyncio.gather(*(scene.holds.hold(scene.held(respond_async=True)) for _ in range(8)))
    assert {reply.status for reply in replies} == {202}
    assert len({told(reply)["parameters"]["prediction_id"] for reply in replies}) == 1
    assert len(await scene.prediction_ids()) == 1


async def test_after_the_answer_an_equal_request_is_a_new_prediction(scene: Scene) -> None:
    """A hold that was answered is joined no more."""
    waiting = asyncio.create_task(scene.holds.hold(scene.held()))
    (prediction_id,) = await scene.until_held()
    await scene.judge((await scene.cases(prediction_id))[0].id, "positive")
    await waiting
    again = told(await scene.holds.hold(scene.held(respond_async=True)))
    assert again["parameters"]["prediction_id"] != str(prediction_id)


async def test_open_holds_are_counted(scene: Scene) -> None:
    """A hold counts from the moment it is opened; while all are counted anew, one may count twice."""
    for number in range(3):
        await scene.holds.hold(scene.held(f"text {number}", respond_async=True))
    assert scene.holds.open_count(scene.world.model_id) >= 3
