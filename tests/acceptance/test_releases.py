"""A better release takes over and a bad one is rolled back, while callers go on: no request fails."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.acceptance.cards import answers, doubtful, request, sure
from tests.acceptance.scene import Caller, Scene, eventually, staged

MODEL = "releases"
CALLERS = 4


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A Lockgate with two gateway processes and a model that answers by itself."""
    with staged(tmp_path_factory.mktemp("releases"), gateways=2) as scene:
        scene.found(MODEL)
        scene.switch(MODEL, on=True)
        scene.until_automated(MODEL)
        yield scene


class Crowd:
    """Callers that ask without a pause, and what they were told."""

    def __init__(self) -> None:
        self.statuses: set[int] = set()
        self.latest: dict[int, str] = {}
        self.over = False

    async def ask(self, number: int, caller: Caller) -> None:
        """Ask again and again."""
        while not self.over:
            answer = await caller.ask(MODEL, request(sure()))
            self.statuses.add(answer.status_code)
            self.latest[number] = answer.json().get("parameters", {}).get("release", "")

    async def until_all_by(self, release: str) -> None:
        """Return once the latest answer of every caller came from this release."""

        async def all_by() -> bool:
            return list(self.latest.values()) == [release] * CALLERS

        await eventually(all_by, f"answers of {release}")


@asynccontextmanager
async def crowd(scene: Scene) -> AsyncIterator[Crowd]:
    """Callers with connections of their own, spread over both gateways by the system."""
    gathered = Crowd()

    async def one(number: int) -> None:
        async with scene.calling() as caller:
            await gathered.ask(number, caller)

    tasks = [asyncio.create_task(one(number)) for number in range(CALLERS)]
    try:
        yield gathered
    finally:
        gathered.over = True
        await asyncio.gather(*tasks)


async def test_no_request_fails_while_releases_change(replicas: Scene) -> None:
    """Promoted and rolled back by commands under concurrent requests over two gateways: every answer is 200."""
    replicas.found(MODEL, wait_cap_s=9.5)
    async with crowd(replicas) as callers:
        await callers.until_all_by(f"{MODEL}@1")
        assert "The gate says: promote." in await command(replicas, "gate", f"{MODEL}@2")
        promoted = await command(replicas, "promote", f"{MODEL}@2", "--why", "a test")
        assert f"{MODEL}@2 serves in the place of {MODEL}@1" in promoted
        assert "policy.wait_cap_s: 10.0 -> 9.5" in promoted
        await callers.until_all_by(f"{MODEL}@2")
        back = await command(replicas, "rollback", MODEL, "--why", "a test")
        assert back.index(f"Roll back to {MODEL}@1") < back.index(f"{MODEL}@1 serves")
        await callers.until_all_by(f"{MODEL}@1")
    assert callers.statuses == {200}
    moments = [line.split() for line in (await command(replicas, "history", MODEL)).splitlines()[1:]]
    assert [(words[2], words[3]) for words in moments] == [
        (f"{MODEL}@1", "rolled_back"), (f"{MODEL}@2", "promoted"), (f"{MODEL}@1", "founded"),
    ]  # fmt: skip
    assert f"{MODEL}@2" in await command(replicas, "releases", "list", MODEL)
    assert "policy.wait_cap_s: 10.0 -> 9.5" in await command(replicas, "releases", "diff", f"{MODEL}@1", f"{MODEL}@2")
    assert "withdrawn" in await command(replicas, "releases", "show", f"{MODEL}@2")


async def command(scene: Scene, *words: str) -> str:
    """What a command prints, first what it notes."""
    done = await asyncio.to_thread(scene.server.run, *words)
    return done.stderr + done.stdout


async def test_a_hold_of_a_withdrawn_release_stays_with_people(replicas: Scene) -> None:
    """A caller who waits while the model is rolled back is answered by the person, as if nothing had happened."""
    name = "held"
    replicas.found(name)
    replicas.found(name, wait_cap_s=40.0)
    _promote(replicas, name, 2)
    async with replicas.calling() as caller, replicas.reviewing() as reviewer:

        async def by_the_second() -> bool:
            held = await caller.hold(name, request(doubtful()))
            (case,) = await reviewer.cases(prediction=held)
            return bool(case["release"] == f"{name}@2")

        await eventually(by_the_second, "a hold of the second release")
        call = asyncio.create_task(caller.ask(name, request(doubtful())))
        case = await reviewer.waiting_case(name)
        rolled = replicas.operator.post(f"/api/v1/models/{name}/rollback", json={"why": "a test"})
        assert rolled.json()["moved"]["withdrawn"] == f"{name}@2", rolled.text
        await reviewer.judge(case["id"], "correct", "low")
        answer = await call
        assert (answer.status_code, answers(answer.json())) == (200, ["low"])


def _promote(scene: Scene, name: str, number: int) -> None:
    answer = scene.operator.post(f"/api/v1/models/{name}/releases/{number}/promotion", json={"why": "a test"})
    assert answer.is_success, answer.text


async def test_a_trial_is_opened_and_closed_by_command(replicas: Scene) -> None:
    """Each says from which plan revision on gateways follow, and which flag counts now."""
    replicas.found("tried")
    replicas.found("tried", wait_cap_s=9.0)
    opened = await command(replicas, "trial", "open", "tried@2", "--why", "a test")
    assert "tried@2 is on trial and answers nobody" in opened
    assert "tried.shadow" in opened
    assert "may answer" in await command(replicas, "trial", "canary", "tried", "--why", "a test")
    assert "No trial of tried is open" in await command(replicas, "trial", "close", "tried", "--why", "a test")


async def test_the_gates_terms_are_declared_by_command(replicas: Scene) -> None:
    """Set, shown with who and why, said by the gate before it judges, and cleared."""
    replicas.found("asked")
    assert "asks for: at most 2.0% worse" in await command(replicas, "terms", "show", "asked")
    words = ("--margin", "0.05", "--held-out", "50", "--decided", "10", "--why", "its errors are cheap")
    declared = await command(replicas, "terms", "set", "asked", *words)
    asks = "at most 5.0% worse on 50 held-out items, 10 decided disagreements"
    assert f"The gate of asked asks for: {asks}." in declared
    assert "its errors are cheap" in await command(replicas, "terms", "show", "asked")
    cleared = await command(replicas, "terms", "clear", "asked", "--why", "a test")
    assert "20 decided disagreements, as it does of every model." in cleared
