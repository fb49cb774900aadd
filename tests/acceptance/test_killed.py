"""`kill -9` of gateway, console and worker under load: whatever was acknowledged is there afterwards, exactly once."""

import asyncio
from collections.abc import Iterator
from functools import partial
from uuid import uuid4

import pytest

from tests.acceptance.cards import answers, doubtful, request
from tests.acceptance.scene import Caller, Json, Reviewer, Scene, insist, staged

CALLERS = 4
ROUNDS = 6
MODEL = "patient"


@pytest.fixture(scope="module")
def doomed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A Lockgate whose processes are killed, with a model whose callers wait long."""
    with staged(tmp_path_factory.mktemp("doomed")) as scene:
        scene.found(MODEL, wait_cap_s=50.0)
        yield scene


class Load:
    """What callers and the reviewer were told while processes were killed."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.sent: list[tuple[Json, str]] = []
        self.acknowledged: dict[str, int] = {}
        self.told: dict[int, Json] = {}
        self.judged: dict[str, Json] = {}
        self._over = False

    async def run(self) -> None:
        """Callers and a reviewer until every request has its answer, while processes are killed at set points."""
        async with self.scene.calling() as caller, self.scene.reviewing() as reviewer, asyncio.TaskGroup() as group:
            group.create_task(self._review(reviewer))
            await asyncio.gather(*(self._call(caller, bool(number % 2)) for number in range(CALLERS)))
            self._over = True  # the last caller may be told before the reviewer is, who still waits for that

    async def _call(self, caller: Caller, waits: bool) -> None:
        for _ in range(ROUNDS):
            number, body, key = len(self.sent), request(doubtful()), uuid4().hex
            self.sent.append((body, key))
            if not waits:
                held = await insist(partial(caller.ask, MODEL, body, key=key, prefer="respond-async"))
                self.acknowledged[held.json()["parameters"]["prediction_id"]] = number
            answer = await insist(partial(caller.ask, MODEL, body, key=key, prefer="wait=50"))
            assert answer.status_code == 200, answer.text
            self.told[number] = answer.json()
            self._kill_at_set_points()

    def _kill_at_set_points(self) -> None:
        total = CALLERS * ROUNDS
        for at, name in ((total // 4, "gateway-1"), (total // 2, "console"), (total * 3 // 4, "gateway-1")):
            if len(self.told) == at:
                self.scene.server.kill_process(name)

    async def _review(self, reviewer: Reviewer) -> None:
        """Judge whatever comes; a claim whose answer was lost is found again among one's own."""
        while not self._over:
            mine = await insist(lambda: reviewer.client.get("/api/v1/claims"))
            claims = mine.json() or (await insist(lambda: reviewer.client.post("/api/v1/claims", json={}))).json()
            for claim in claims:
                judged = await insist(partial(reviewer.post, claim, "correct", "low"))
                assert judged.is_success, judged.text
                self.judged[claim["case_id"]] = judged.json()
            await asyncio.sleep(0.01)


async def test_nothing_acknowledged_is_lost_or_doubled(doomed: Scene) -> None:
    """Every acknowledged hold, verdict, outcome and delivery is there once, and each retry meets its own hold."""
    load = Load(doomed)
    async with asyncio.timeout(150):
        await load.run()
    async with doomed.calling() as caller, doomed.reviewing() as reviewer:
        cases = {case["id"]: case for case in await reviewer.cases(model=MODEL)}
        assert len(cases) == CALLERS * ROUNDS
        assert {case["state"] for case in cases.values()} == {"settled"}
        assert load.judged.keys() == cases.keys()
        predictions = {case["prediction_id"] for case in cases.values()}
        assert predictions == {told["parameters"]["prediction_id"] for told in load.told.values()}
        for held, number in load.acknowledged.items():
            assert load.told[number]["parameters"]["prediction_id"] == held
        for case_id, judged in load.judged.items():
            await _found_once(reviewer, case_id, judged)
        for number, told in load.told.items():
            assert answers(told) == ["low"]
            await _same_again(caller, *load.sent[number], told)
            await _told_once(reviewer, told["parameters"]["prediction_id"])


async def _found_once(reviewer: Reviewer, case_id: str, judged: Json) -> None:
    """One verdict, the acknowledged one, and one outcome that rests on it."""
    card = (await reviewer.client.get(f"/api/v1/cases/{case_id}")).json()
    assert [verdict["id"] for verdict in card["verdicts"]] == [judged["verdict_id"]]
    assert [(one["revision"], one["answer"]) for one in card["outcomes"]] == [(1, "low")]


async def _same_again(caller: Caller, body: Json, key: str, told: Json) -> None:
    """The URL tells the truth that was delivered, and so does a retry under its key."""
    again = [await caller.truth(told["parameters"]["prediction_id"])]
    again.append(await caller.ask(MODEL, body, key=key, prefer="respond-async"))
    assert [(answer.status_code, answer.json()) for answer in again] == [(200, told), (200, told)]


async def _told_once(reviewer: Reviewer, prediction_id: str) -> None:
    """The prediction's story: in the log, and told its outcome in one delivery, whatever else was told before."""
    story = (await reviewer.client.get(f"/api/v1/predictions/{prediction_id}")).json()["story"]
    assert story["logged"]
    assert [one["outcome_revision"] for one in story["tellings"] if one["kind"] == "answer"] == [1]
    assert [one["n"] for one in story["tellings"]] == list(range(1, len(story["tellings"]) + 1))


async def test_a_crash_of_everything_leaves_the_holds(doomed: Scene) -> None:
    """After a crash of all processes at once, a hold is met again by its URL, its key and its input."""
    body, key = request(doubtful()), uuid4().hex
    async with doomed.calling() as caller:
        held = await caller.hold(MODEL, body, key=key)
    doomed.server.kill()
    doomed.server.start()
    async with doomed.calling() as caller, doomed.reviewing() as reviewer:
        assert (await caller.truth(held)).status_code == 202
        assert await caller.hold(MODEL, body, key=key) == held
        assert await caller.hold(MODEL, body) == held
        await reviewer.settle(held, "correct", "low")
        assert answers((await caller.truth(held)).json()) == ["low"]
