"""A bad release is promoted by force, and the guard takes it back by itself, while callers go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.acceptance.cards import request, sure
from tests.acceptance.scene import Caller, Json, Reviewer, Scene, eventually
from tests.acceptance.trial import found_with_candidate
from tests.models import contrary, fragile

PACE_S = 0.05
BEYOND = [0.0, 1e9, 0.0, 0.0]


class Callers:
    """Services that ask at a pace, and what they were told."""

    def __init__(self) -> None:
        self.statuses: set[int] = set()
        self.latest = ""

    async def ask(self, caller: Caller, model: str) -> None:
        """Ask until cancelled."""
        while True:
            told = await caller.ask(model, request(sure()))
            self.statuses.add(told.status_code)
            self.latest = told.json().get("parameters", {}).get("release", "")
            await asyncio.sleep(PACE_S)

    async def until_by(self, release: str) -> None:
        """Return once the latest answer came from this release."""

        async def by() -> bool:
            return self.latest == release

        await eventually(by, f"an answer of {release}", 30)


@asynccontextmanager
async def calling(scene: Scene, model: str) -> AsyncIterator[Callers]:
    """A caller who asks until the block ends."""
    callers = Callers()
    async with scene.calling() as caller:
        task = asyncio.create_task(callers.ask(caller, model))
        try:
            yield callers
        finally:
            task.cancel()
            done = await asyncio.gather(task, return_exceptions=True)
            assert isinstance(done[0], asyncio.CancelledError), done


async def command(scene: Scene, *words: str) -> str:
    """What a command prints, first what it notes."""
    done = await asyncio.to_thread(scene.server.run, *words)
    return done.stderr + done.stdout


async def correct_audits(reviewer: Reviewer, model: str, release: str, number: int) -> None:
    """A person says of so many audited answers of the release that they were wrong."""

    async def drawn() -> list[Json] | None:
        cases = await reviewer.cases(state="open", kind="audit", model=model)
        found = [case for case in cases if case["release"] == release]
        return found if len(found) >= number else None

    cases = await eventually(drawn, f"{number} audits of {release}", 60)
    assert cases is not None
    for case in cases[:number]:
        await reviewer.judge(case["id"], "correct", "high")


async def until_over(scene: Scene, model: str) -> Json:
    """The watch, once the guard has come to a verdict."""

    async def over() -> Json | None:
        watch = scene.operator.get(f"/api/v1/models/{model}/guard").json()["watch"]
        return watch if watch["state"] != "watching" else None

    watch = await eventually(over, f"a verdict on {model}", 60)
    assert watch is not None
    return watch


async def test_a_bad_release_is_rolled_back_by_the_guard(scene: Scene) -> None:
    """People correct what it answered, the guard goes back with the figure as its reason, and no caller ever fails."""
    found_with_candidate(scene, "guarded", contrary(), audit_rate=0.5)
    assert "Nothing is watched on guarded" in await command(scene, "guard", "show", "guarded")
    declared = await command(
        scene, "guard", "set", "guarded", "--errors", "0.1", "--errors-sample", "5", "--bake", "1h",
        "--on-breach", "roll_back", "--why", "a test",
    )  # fmt: skip
    assert "Watched on guarded after a promotion, for 3600 s; on a breach: roll_back." in declared
    async with calling(scene, "guarded") as callers, scene.reviewing() as reviewer:
        await callers.until_by("guarded@1")
        promoted = await command(scene, "promote", "guarded@2", "--force", "--why", "in a hurry")
        assert "The guard watches errors for 1 h after the promotion, and on a breach rolls back." in promoted
        await callers.until_by("guarded@2")
        await correct_audits(reviewer, "guarded", "guarded@2", 5)
        watch = await until_over(scene, "guarded")
        assert (watch["state"], watch["act"]) == ("breached", "rolled_back")
        await callers.until_by("guarded@1")
    assert callers.statuses == {200}
    assert "The share of wrong automatic answers is 100.0%" in watch["told"]
    assert "guarded@2: breached, rolled back." in await command(scene, "guard", "show", "guarded")
    served = scene.operator.get("/api/v1/models/guarded/history").json()[0]
    assert (served["action"], served["by"], watch["told"] in served["why"]) == ("rolled_back", "guard", True)
    assert "Nothing is watched on guarded" in await command(scene, "guard", "clear", "guarded", "--why", "a test")


async def test_a_release_whose_runs_fail_is_paused_by_the_guard(scene: Scene) -> None:
    """Failed runs are recorded and counted as refusals; after the breach every request waits for a person."""
    found_with_candidate(scene, "fragile", fragile())
    body = {
        "declaration": {"refusals": {"limit": 0.2, "min_sample": 10}, "on_breach": "pause"},
        "why": "a test",
    }
    assert scene.operator.put("/api/v1/models/fragile/guard", json=body).is_success
    promoted = scene.operator.post("/api/v1/models/fragile/releases/2/promotion", json={"why": "a test", "force": True})
    assert promoted.is_success, promoted.text
    async with scene.calling() as caller:

        async def fails() -> bool:
            told = await caller.ask("fragile", request(BEYOND))
            return told.json().get("type", "").endswith("model-refused-values")

        await eventually(fails, "a run that fails")
        assert all([await fails() for _ in range(9)])  # the tenth one is the first that is enough for a verdict
        watch = await until_over(scene, "fragile")
        assert (watch["state"], watch["act"]) == ("breached", "paused")

        async def held() -> bool:
            told = await caller.ask("fragile", request(sure()), prefer="respond-async")
            return told.status_code == 202

        await eventually(held, "a request that waits for a person")
