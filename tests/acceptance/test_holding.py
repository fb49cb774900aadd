"""What a caller of a held prediction may rely on, through real processes."""

import asyncio
import time
from uuid import uuid4

import pytest

from tests.acceptance.cards import answers, doubtful, request, sure
from tests.acceptance.scene import Caller, Scene, eventually

MODEL = "grades"


@pytest.fixture(scope="module")
def open_models(scene: Scene) -> Scene:
    """Beside `grades`, whose flags are off, models that answer by themselves what they are sure of."""
    scene.found("open")
    scene.found("cautious", fallback="safe_value", safe_value="middle")
    scene.found("hasty", fallback="provisional", provisional_after_s=0.1, provisional_rules=["below_threshold"])
    for model in ("open", "cautious", "hasty"):
        scene.switch(model, on=True)
    scene.until_automated("open", "cautious", "hasty")
    return scene


async def test_one_doubtful_row_of_32_is_held_and_the_request_answered_whole(open_models: Scene) -> None:
    """Only the doubtful row goes before a person; the answer leaves with all 32 rows when she has judged it."""
    rows = [sure() for _ in range(32)]
    rows[16] = doubtful()
    async with open_models.calling() as caller, open_models.reviewing() as reviewer:
        call = asyncio.create_task(caller.ask("open", request(*rows)))
        await reviewer.next_case(model="open")
        (case,) = await reviewer.cases(model="open", state="open")
        assert (case["item"], case["rule"]) == (17, "below_threshold")
        await reviewer.judge(case["id"], "correct", "low")
        body = (await call).json()
        assert answers(body) == ["high"] * 16 + ["low"] + ["high"] * 15
        assert body["parameters"]["review_status"] == "corrected"


@pytest.mark.parametrize(
    ("prefer", "status", "applied", "waits"),
    [
        ("", 503, None, True),
        ("wait=1", 503, "wait=1", True),
        ("respond-async", 202, "respond-async", False),
        ("respond-async, wait=1", 202, "respond-async, wait=1", True),
        ("wait=tomorrow, dream", 503, None, True),
    ],
)
async def test_what_is_preferred_is_what_is_waited(
    scene: Scene, prefer: str, status: int, applied: str | None, waits: bool
) -> None:
    """Nothing: the cap, then the fallback; wait: that long; respond-async: 202 at once; both: 202 after the wait."""
    body = request(doubtful(), parameters={} if prefer.startswith("wait=1") else {"timeout": 1_000_000})
    async with scene.calling() as caller:
        began = time.monotonic()
        told = await caller.ask(MODEL, body, prefer=prefer)
        took = time.monotonic() - began
    assert (told.status_code, told.headers.get("Preference-Applied")) == (status, applied)
    assert 1.0 <= took < 3.0 if waits else took < 0.9
    assert told.headers["Location"].startswith("/v2/predictions/")
    assert int(told.headers["Retry-After"]) > 0
    assert told.headers["Content-Type"] == "application/json"


async def test_an_unsettled_hold_ends_in_the_declared_fallback(open_models: Scene) -> None:
    """503 with the prediction's URL, the declared safe value, or the model's own answer as provisional."""
    async with open_models.calling() as caller:
        refused = await caller.ask("open", request(doubtful()), prefer="wait=0")
        safe = (await caller.ask("cautious", request(doubtful()), prefer="wait=0")).json()
        early = (await caller.ask("hasty", request(doubtful()), prefer="wait=1")).json()
    assert refused.status_code == 503
    assert refused.headers["Location"] in refused.json()["error"]
    assert (answers(safe), safe["parameters"]["review_status"]) == (["middle"], "fallback")
    assert (answers(early), early["parameters"]["review_status"]) == (["high"], "provisional")


async def test_a_provisional_answer_is_revised_by_the_person(open_models: Scene) -> None:
    """After a provisional answer the URL says 202, and once a person has corrected it, the correction."""
    async with open_models.calling() as caller, open_models.reviewing() as reviewer:
        early = (await caller.ask("hasty", request(doubtful()), prefer="wait=1")).json()
        prediction_id = early["parameters"]["prediction_id"]
        held = await caller.truth(prediction_id)
        assert (held.status_code, held.json()["parameters"]["delivered"]) == (202, "provisional")
        await reviewer.settle(prediction_id, "correct", "low")
        assert answers((await caller.truth(prediction_id)).json()) == ["low"]


async def test_a_full_queue_overflows_as_the_policy_says(open_models: Scene) -> None:
    """Beyond the cap a caller is refused with 503 at once, or answered by the model, under the rule `queue_full`."""
    open_models.found("narrow", max_open_holds=1)
    open_models.found("flowing", max_open_holds=1, overflow="automated", overflow_sample=1.0)
    for model in ("narrow", "flowing"):
        open_models.switch(model, on=True)
    open_models.until_automated("narrow", "flowing")
    async with open_models.calling() as caller, open_models.reviewing() as reviewer:
        for model in ("narrow", "flowing"):
            # Fills the queue, unless a request from before the switch was followed does so already.
            await caller.ask(model, request(doubtful()), prefer="respond-async")
        refused = await caller.ask("narrow", request(doubtful()))
        assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (503, "queue-full")
        assert int(refused.headers["Retry-After"]) > 0
        flowed = (await caller.ask("flowing", request(doubtful()))).json()
        assert (answers(flowed), flowed["parameters"]["rule"]) == (["high"], "queue_full")
        assert await reviewer.next_case(prediction=flowed["parameters"]["prediction_id"], kind="audit")


async def test_no_answer_is_right(scene: Scene) -> None:
    """`unanswerable` refuses the waiting caller with 422, now and later."""
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        held = await caller.hold(MODEL, request(doubtful()))
        await reviewer.settle(held, "unanswerable")
        told = await caller.truth(held)
        assert (told.status_code, told.json()["type"].rpartition("#")[2]) == (422, "unanswerable")


async def test_a_long_poll_ends_with_the_verdict(scene: Scene) -> None:
    """A GET that waits is answered as soon as a person has judged, not at its end."""
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        held = await caller.hold(MODEL, request(doubtful()))
        (case,) = await reviewer.cases(prediction=held)
        claim = await reviewer.claim(case["id"])
        poll = asyncio.create_task(caller.truth(held, prefer="wait=40"))
        began = time.monotonic()
        await reviewer.post(claim, "correct", "low")
        told = await poll
        assert (told.status_code, answers(told.json())) == (200, ["low"])
        assert time.monotonic() - began < 5


async def test_an_equal_retry_joins_the_open_hold(scene: Scene) -> None:
    """The same input of the same caller is one review, however often it is sent; another caller's is its own."""
    body = request(doubtful())
    async with scene.calling() as caller, scene.calling(scene.make_key("other", "predict:*")) as other:
        first = await caller.hold(MODEL, body)
        retries = await asyncio.gather(*(caller.hold(MODEL, body) for _ in range(8)))
        assert set(retries) == {first}
        assert await other.hold(MODEL, body) != first


async def test_a_retry_after_the_verdict_is_told_what_nobody_was_told(scene: Scene) -> None:
    """A verdict that came between a caller's 503 and its retry answers the retry; told once, it is asked anew."""
    body = request(doubtful())
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        refused = await caller.ask(MODEL, body, prefer="wait=0")
        held = refused.headers["Location"].rsplit("/", 1)[-1]
        await reviewer.settle(held, "correct", "low")
        told = await caller.ask(MODEL, body, prefer="wait=0")
        assert (told.status_code, answers(told.json())) == (200, ["low"])
        assert await caller.hold(MODEL, body) != held


async def test_an_idempotency_key_answers_a_request_once(open_models: Scene) -> None:
    """The same key gives the same prediction; another body under it is 422; with a hold it tells the current truth."""
    key = uuid4().hex
    async with open_models.calling() as caller, open_models.reviewing() as reviewer:
        body = request(sure())
        first, again = [(await caller.ask("open", body, key=key)) for _ in range(2)]
        assert (first.status_code, first.content) == (200, again.content)
        quoted = await caller.ask("open", body, key=f'"{key}"')
        assert quoted.content == first.content
        other = await caller.ask("open", request(sure()), key=key)
        assert (other.status_code, other.json()["type"].rpartition("#")[2]) == (422, "idempotency-key-reused")

        body, key = request(doubtful()), uuid4().hex
        held = await caller.hold("open", body, key=key)
        assert await caller.hold("open", body, key=key) == held
        await reviewer.settle(held, "correct", "low")
        now = await caller.ask("open", body, key=key)
        assert (now.status_code, answers(now.json())) == (200, ["low"])


async def test_what_failed_validation_is_not_kept_under_its_key(open_models: Scene) -> None:
    """A key whose request was refused with 400 is free for the corrected request."""
    key = uuid4().hex
    async with open_models.calling() as caller:
        assert (await caller.ask("open", {"inputs": []}, key=key)).status_code == 400
        assert (await caller.ask("open", request(sure()), key=key)).status_code == 200


async def test_a_caller_ends_its_interest(scene: Scene) -> None:
    """DELETE closes what nobody has begun, and the URL says 410; what was answered cannot be cancelled."""
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        held = await caller.hold(MODEL, request(doubtful()))
        assert (await caller.client.delete(f"/v2/predictions/{held}")).status_code == 204
        assert (await caller.truth(held)).status_code == 410
        (case,) = await reviewer.cases(prediction=held)
        assert (case["state"], case["closed_reason"]) == ("closed", "cancelled")

        settled = await caller.hold(MODEL, request(doubtful()))
        await reviewer.settle(settled, "approve")
        assert (await caller.truth(settled)).status_code == 200
        assert (await caller.client.delete(f"/v2/predictions/{settled}")).status_code == 409


async def test_a_caller_reports_a_wrong_answer(scene: Scene) -> None:
    """A report is a case of its own, once however often it is reported; its outcome becomes the latest truth."""
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        held = await caller.hold(MODEL, request(doubtful()))
        await reviewer.settle(held, "approve")
        for _ in range(2):
            report = await caller.client.post(f"/v2/predictions/{held}/report", json={"reason": "it was low"})
            assert report.status_code == 202, report.text
        (case,) = await reviewer.cases(prediction=held, kind="report")
        await reviewer.judge(case["id"], "correct", "low")
        assert answers((await caller.truth(held)).json()) == ["low"]


async def test_a_prediction_is_its_callers(scene: Scene) -> None:
    """Another key without the right to read gets 404 for a prediction's URL, as for one that does not exist."""
    async with scene.calling() as caller, scene.calling(scene.make_key("stranger", "predict:*")) as stranger:
        held = await caller.hold(MODEL, request(doubtful()))
        assert (await caller.truth(held)).status_code == 202
        foreign, missing = await stranger.truth(held), await stranger.truth(str(uuid4()))
        assert (foreign.status_code, missing.status_code) == (404, 404)
        assert foreign.json()["error"] == missing.json()["error"]
        assert (await stranger.client.delete(f"/v2/predictions/{held}")).status_code == 404


async def test_rules_have_public_names(open_models: Scene) -> None:
    """Callers read why in public words: that review is on, that they asked for it, or that confidence was low."""
    async with open_models.calling() as caller:
        asked = request(sure(), parameters={"review": "require"})
        rules = [
            await _rule(caller, MODEL, request(sure())),
            await _rule(caller, "open", asked),
            await _rule(caller, "open", request(doubtful())),
            await _rule(caller, "open", request(sure())),
        ]
    assert rules == ["review_on", "requested", "low_confidence", "automated"]


@pytest.mark.parametrize(
    ("mode", "status", "rule"), [("review", 202, "halted"), ("refuse", 503, ""), ("fallback", 200, "halted")]
)
async def test_a_halt_outranks_the_flags_within_a_second(open_models: Scene, mode: str, status: int, rule: str) -> None:
    """A halted model answers nobody by itself: people, the fallback or nobody; lifted, it answers again."""
    model = "cautious" if mode == "fallback" else "open"
    async with open_models.calling() as caller:

        async def answered(with_status: int, by: str) -> bool:
            answer = await caller.ask(model, request(sure()), prefer="respond-async")
            said = answer.json().get("parameters", {}).get("rule", "")
            return (answer.status_code, said) == (with_status, by)

        open_models.halt(model, mode)
        try:
            await eventually(lambda: answered(status, rule), f"the halt to {mode}", 1.0)
        finally:
            open_models.lift(model)
        await eventually(lambda: answered(200, "automated"), "the end of the halt", 1.0)


async def _rule(caller: Caller, model: str, body: dict[str, object]) -> str:
    answer = await caller.ask(model, body, prefer="respond-async")
    rule: str = answer.json()["parameters"]["rule"]
    return rule
