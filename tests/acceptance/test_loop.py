"""The loop, end to end through real processes over HTTP: a request is answered by the model or by a person."""

import asyncio

from tests.acceptance.cards import answers, doubtful, request, sure
from tests.acceptance.scene import Scene, eventually


async def test_a_request_waits_for_a_person_and_gets_the_correction(scene: Scene) -> None:
    """With its flags off a model answers nobody: the caller waits, a person corrects, the answer says what she said."""
    scene.found("loop")
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        call = asyncio.create_task(caller.ask("loop", request(sure(), id="order-81")))
        case = await reviewer.next_case(model="loop")
        await reviewer.judge(case["id"], "correct", "low")
        told = await call
        body, said = told.json(), told.json()["parameters"]
        assert (told.status_code, body["id"], answers(body)) == (200, "order-81", ["low"])
        assert (said["path"], said["rule"], said["release"]) == ("review", "review_on", "loop@1")
        assert (said["review_status"], said["prediction_id"]) == ("corrected", case["prediction_id"])
        again = await caller.truth(case["prediction_id"])
        assert (again.status_code, again.json()) == (200, body)


async def test_an_approved_answer_is_the_models_own(scene: Scene) -> None:
    """What a person approves goes out with the model's own numbers."""
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        held = await caller.hold("grades", request(sure()))
        await reviewer.settle(held, "approve")
        body = (await caller.truth(held)).json()
        assert (answers(body), body["parameters"]["review_status"]) == (["high"], "approved")
        assert 0.9 < max(body["outputs"][0]["data"]) < 1.0


async def test_the_flag_decides_who_answers(scene: Scene) -> None:
    """`automated` on: the model answers what it is sure of, and a person the rest; off: a person answers everything."""
    scene.found("flagged")
    async with scene.calling() as caller:

        async def answered(status: int, rule: str) -> bool:
            answer = await caller.ask("flagged", request(sure()), prefer="respond-async")
            return (answer.status_code, answer.json()["parameters"]["rule"]) == (status, rule)

        assert await answered(202, "review_on")
        scene.switch("flagged", on=True)
        await eventually(lambda: answered(200, "automated"), "the model's own answer", 1.0)
        held = await caller.ask("flagged", request(doubtful()), prefer="respond-async")
        assert (held.status_code, held.json()["parameters"]["rule"]) == (202, "low_confidence")
        scene.switch("flagged", on=False)
        await eventually(lambda: answered(202, "review_on"), "held again", 1.0)
