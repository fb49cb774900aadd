"""A rollout, from outside: real requests take it from step to step, and commands stop it."""

from tests.acceptance.cards import request, sure
from tests.acceptance.scene import Caller, Json, Scene, eventually

MODEL = "stepped"
FLAG = f"{MODEL}.automated"


async def test_real_traffic_takes_a_rollout_from_step_to_step(scene: Scene) -> None:
    """A share of callers is let in, and stays in; enough requests bring the next step, an approval the last one. A
    hand on the flag pauses it, and an abort switches the flag off."""
    scene.found(MODEL)
    scene.server.run("rollout", "start", FLAG, "--step", "50% 3 requests", "--step", "90% approval",
                     "--step", "100% 1h", "--why", "a test")  # fmt: skip
    async with scene.calling() as caller:
        user = await eventually(lambda: _let_in(caller), "a user who is let in", 30)
        await eventually(lambda: _asking(caller, user, scene, 90), "the second step", 30)
        assert "It waits for an approval." in scene.server.run("rollout", "show", FLAG).stdout
        _move(scene, "approve", "the audits are clean")
        await eventually(lambda: _asking(caller, user, scene, 100), "the third step", 30)

        scene.switch(MODEL, on=False)
        paused = await eventually(lambda: _in_state(scene, "paused"), "a pause", 30)
        assert paused["told"].startswith("Somebody changed the flag: it is on for nobody now")
        _move(scene, "resume", "a false alarm")
        assert await eventually(lambda: _answers(caller, user), "answers again", 30)
    aborted = scene.server.json("rollout", "abort", FLAG, "--why", "complaints")
    assert (aborted["state"], aborted["reach"]) == ("aborted", "nobody")
    assert await eventually(lambda: _told(scene), "what happened on the timeline", 30)
    assert FLAG in scene.server.run("rollout", "list").stdout


async def _answers(caller: Caller, user: str) -> bool:
    """Whether the model answers this user by itself; the request is not kept waiting where it does not."""
    told = await caller.ask(MODEL, request(sure()), prefer="respond-async", **{"Lockgate-Context": f"user_id={user}"})
    return told.status_code == 200


async def _let_in(caller: Caller) -> str | None:
    """The first of some users whom the flag is on for."""
    for number in range(8):
        if await _answers(caller, f"u-{number}"):
            return f"u-{number}"
    return None


async def _asking(caller: Caller, user: str, scene: Scene, percent: int) -> Json | None:
    """The rollout once it is at this share; whoever was let in asks on, and is answered."""
    assert await _answers(caller, user)
    shown = _shown(scene)
    return shown if shown["percent"] == percent else None


async def _told(scene: Scene) -> bool:
    """Whether the timeline tells a step and the abort."""
    stretch = scene.operator.get("/api/v1/timeline", params={"model": MODEL}).json()
    said = {entry["said"] for entry in stretch["entries"]}
    step = f"The rollout of {FLAG} took step 2 of 3: 90 %."
    return {step, f"The rollout of {FLAG} was aborted at 100 %, and the flag switched off."} <= said


async def _in_state(scene: Scene, state: str) -> Json | None:
    shown = _shown(scene)
    return shown if shown["state"] == state else None


def _move(scene: Scene, move: str, why: str) -> None:
    answer = scene.operator.post(f"/api/v1/rollouts/{FLAG}/{move}", json={"why": why})
    assert answer.is_success, answer.text


def _shown(scene: Scene) -> Json:
    answer = scene.operator.get(f"/api/v1/rollouts/{FLAG}")
    assert answer.is_success, answer.text
    found: Json = answer.json()
    return found
