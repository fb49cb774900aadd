"""What was answered without a person is not out of reach: it is audited, looked up and reported."""

from tests.acceptance.cards import answers, request, sure
from tests.acceptance.scene import Scene


async def test_what_was_drawn_for_audit_becomes_a_case(scene: Scene) -> None:
    """An automatic answer that the draw selected goes before a person afterwards; her correction is the truth then."""
    scene.found("audited", audit_rate=1.0)
    scene.switch("audited", on=True)
    scene.until_automated("audited")
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        told = await caller.ask("audited", request(sure()))
        prediction_id = told.json()["parameters"]["prediction_id"]
        assert (told.status_code, answers(told.json())) == (200, ["high"])
        case = await reviewer.next_case(prediction=prediction_id, kind="audit")
        await reviewer.judge(case["id"], "correct", "low")
        assert answers((await caller.truth(prediction_id)).json()) == ["low"]
        assert (await caller.ask("audited", request(sure()))).status_code == 200


async def test_an_automated_prediction_has_a_url(scene: Scene) -> None:
    """`GET /v2/predictions/{id}` tells what an automatic answer was, and it can be reported as wrong."""
    scene.found("plain")
    scene.switch("plain", on=True)
    scene.until_automated("plain")
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        told = (await caller.ask("plain", request(sure()))).json()
        prediction_id = told["parameters"]["prediction_id"]
        again = await caller.truth(prediction_id)
        assert (again.status_code, again.json()["outputs"]) == (200, told["outputs"])
        report = await caller.client.post(f"/v2/predictions/{prediction_id}/report", json={"reason": "it was low"})
        assert report.status_code == 202, report.text
        case = await reviewer.next_case(prediction=prediction_id, kind="report")
        await reviewer.judge(case["id"], "correct", "low")
        assert answers((await caller.truth(prediction_id)).json()) == ["low"]
