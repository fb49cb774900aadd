"""A trial, from outside: the candidate runs beside the champion, and people say who is right where the two differ."""

import httpx

from tests.acceptance.cards import answers, request, sure
from tests.acceptance.scene import Caller, Json, Reviewer, Scene, eventually
from tests.acceptance.trial import close_trial, found_with_candidate, open_trial
from tests.models import contrary, sticking

ENDLESS = [0.0, 1e12, 0.0, 0.0]


async def ask_in_shadow(caller: Caller, model: str, item: list[float] | None = None) -> httpx.Response:
    """The first answer beside which the candidate runs, as soon as gateways follow."""

    async def ask() -> httpx.Response | None:
        told = await caller.ask(model, request(item or sure()))
        assert (told.status_code, answers(told.json())) == (200, ["high"])
        return told if told.json()["parameters"]["path"] == "shadow" else None

    found = await eventually(ask, f"a shadow of {model}")
    assert found is not None
    return found


async def choose(reviewer: Reviewer, case: Json, answer: str) -> Json:
    """Settle a disagreement for this one of its two answers."""
    card = (await reviewer.client.get(f"/api/v1/cases/{case['id']}")).json()
    assert (sorted(card["answers"]), card["answer"], card["score"]) == (["high", "low"], None, None)
    return await reviewer.judge(case["id"], ("first", "second")[card["answers"].index(answer)])


def trial_of(scene: Scene, model: str) -> Json:
    """How the trial stands."""
    shown = scene.operator.get(f"/api/v1/models/{model}/trial")
    assert shown.is_success, shown.text
    found: Json = shown.json()
    return found


def metrics_of(scene: Scene) -> str:
    """Everything that is counted."""
    return httpx.get(f"{scene.server.monitor_url}/metrics", trust_env=False).text


async def test_a_disagreement_is_settled_and_counts_as_a_win(scene: Scene) -> None:
    """Answers stay the champion's; people choose the candidate's one, which becomes the truth and one win."""
    found_with_candidate(scene, "tried", contrary())
    open_trial(scene, "tried")
    async with scene.calling() as caller, scene.reviewing() as reviewer:
        told = (await ask_in_shadow(caller, "tried")).json()["parameters"]
        assert (told["release"], told["rule"]) == ("tried@1", "automated")
        case = await reviewer.next_case(prediction=told["prediction_id"], kind="disagreement", seconds=30)
        assert (await choose(reviewer, case, "low"))["kind"] == "correct"
        assert answers((await caller.truth(told["prediction_id"])).json()) == ["low"]
        evidence = trial_of(scene, "tried")["evidence"]
        assert (evidence["compared"], evidence["disagreements"], evidence["wins"], evidence["losses"]) == (1, 1, 1, 0)
        assert "this may be chance" in scene.server.run("trial", "show", "tried").stdout
        reasons = scene.operator.get("/api/v1/models/tried/releases/2/gate").json()["checks"]
        assert "People decided 1 of its disagreements for either side" in str(reasons)

        again = (await ask_in_shadow(caller, "tried")).json()["parameters"]["prediction_id"]
        waits = await reviewer.next_case(prediction=again, kind="disagreement", seconds=30)
        close_trial(scene, "tried")

        async def superseded() -> bool:
            (now,) = await reviewer.cases(prediction=again)
            return (now["id"], now["state"], now["closed_reason"]) == (waits["id"], "closed", "superseded")

        assert await eventually(superseded, "the end of its disagreements", 30)


async def test_a_stuck_candidate_changes_no_answer(scene: Scene) -> None:
    """While the candidate counts to a million millions, callers are answered; its runs are counted as missing."""
    found_with_candidate(scene, "stuck", sticking())
    open_trial(scene, "stuck")
    async with scene.calling() as caller:
        await ask_in_shadow(caller, "stuck")
        await ask_in_shadow(caller, "stuck", ENDLESS)
        for _ in range(5):
            await ask_in_shadow(caller, "stuck")

        async def missing() -> bool:
            found = trial_of(scene, "stuck")
            shadow = [run for run in found["runs"] if run["role"] == "shadow"]
            return bool(shadow) and shadow[0]["errors"] >= 1 and found["evidence"]["missing"] >= 1

        assert await eventually(missing, "a run that timed out", 60)
        await ask_in_shadow(caller, "stuck")
    assert 'lockgate_shadow_runs_total{model="stuck",release="stuck@2",status="timed_out"' in metrics_of(scene)
