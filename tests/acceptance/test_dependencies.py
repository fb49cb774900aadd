"""PostgreSQL and Redis, taken away and brought back under processes that run apart."""

import asyncio
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.acceptance.apart import Apart, staged_apart
from tests.acceptance.cards import answers, doubtful, request, sure
from tests.acceptance.scene import Caller, Scene, eventually, insist
from tests.servers.postgres import Postgres, running_postgres
from tests.servers.redis import Redis, running_redis

MODEL = "apart"


class World(NamedTuple):
    """The scene and what it depends on."""

    scene: Scene
    server: Apart
    postgres: Postgres
    redis: Redis


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Gateway, console and worker apart, with a model that answers by itself what it is sure of and audits it all."""
    folder = tmp_path_factory.mktemp("apart")
    with (
        running_postgres() as postgres,
        running_redis() as redis,
        postgres.database() as url,
        staged_apart(folder, database_url=url, redis_url=redis.url) as scene,
    ):
        scene.found(MODEL, audit_rate=1.0)
        scene.switch(MODEL, on=True)
        scene.until_automated(MODEL)
        assert isinstance(scene.server, Apart)
        yield World(scene, scene.server, postgres, redis)


async def test_processes_apart_do_what_one_command_does(world: World) -> None:
    """On PostgreSQL and Redis, too, a caller waits for a person, and what was drawn for audit becomes a case."""
    async with world.scene.calling() as caller, world.scene.reviewing() as reviewer:
        call = asyncio.create_task(caller.ask(MODEL, request(doubtful())))
        case = await reviewer.next_case(model=MODEL, kind="hold")
        await reviewer.judge(case["id"], "correct", "low")
        assert answers((await call).json()) == ["low"]
        audited = (await caller.ask(MODEL, request(sure()))).json()["parameters"]["prediction_id"]
        assert await reviewer.next_case(prediction=audited, kind="audit")


async def test_redis_away_costs_a_poll(world: World) -> None:
    """Without Redis a verdict still wakes its caller within the poll, and the loss is shown; back, all is as before."""
    async with world.scene.calling() as caller:
        world.redis.stop()
        assert await woken_after(world, caller) < 3.0
        assert not world.server.up("gateway", "bell")
        automated = await caller.ask(MODEL, request(sure()))
        assert automated.status_code == 200
        world.redis.start()

        async def heard() -> bool:
            return world.server.up("gateway", "bell")

        await eventually(heard, "the bell again", 15)
        assert await woken_after(world, caller) < 3.0


async def woken_after(world: World, caller: Caller) -> float:
    """How long after the verdict its waiting caller is answered."""
    async with world.scene.reviewing() as reviewer:
        call = asyncio.create_task(caller.ask(MODEL, request(doubtful()), prefer="wait=10"))
        case = await reviewer.next_case(model=MODEL, kind="hold")
        claim = await reviewer.claim(case["id"])
        posted = await reviewer.post(claim, "correct", "low")
        began = time.monotonic()
        assert posted.is_success, posted.text
        assert answers((await call).json()) == ["low"]
        return time.monotonic() - began


async def test_a_killed_worker_is_taken_over(world: World) -> None:
    """After `kill -9` the next worker takes the lease when it ends, and audits follow from where they stopped, once."""
    world.server.parts["worker"].kill()
    async with world.scene.calling() as caller, world.scene.reviewing() as reviewer:
        told = [await caller.ask(MODEL, request(sure())) for _ in range(5)]
        world.server.begin("worker")
        for answer in told:
            prediction_id = answer.json()["parameters"]["prediction_id"]
            await reviewer.next_case(30, prediction=prediction_id, kind="audit")
            assert len(await reviewer.cases(prediction=prediction_id)) == 1


async def test_without_the_ledger_the_model_still_answers(world: World) -> None:
    """PostgreSQL away: automated answers go on, review is 503, a gateway boots from its snapshot; audits follow."""
    async with world.scene.calling() as caller, world.scene.reviewing() as reviewer:
        held = await caller.hold(MODEL, request(doubtful()))
        world.postgres.stop()
        answered = [await caller.ask(MODEL, request(sure()))]
        await refused_for_the_ledger(caller)
        world.server.parts["gateway"].kill()
        world.server.begin("gateway")
        answered.append(await caller.ask(MODEL, request(sure())))
        await refused_for_the_ledger(caller)
        assert [answer.status_code for answer in answered] == [200, 200]
        assert (await reviewer.client.get("/api/v1/cases")).status_code == 503
        assert not world.server.up("gateway", "ledger")

        world.postgres.start()
        truth = await insist(lambda: caller.truth(held))
        assert truth.status_code == 202
        for answer in answered:
            prediction_id = answer.json()["parameters"]["prediction_id"]
            await eventually(lambda: reviewed(caller), "review again", 20)
            assert await reviewer.next_case(30, prediction=prediction_id, kind="audit")
        await reviewer.settle(held, "correct", "low")
        assert answers((await caller.truth(held)).json()) == ["low"]


async def refused_for_the_ledger(caller: Caller) -> None:
    """A request that needs a person is told to come back."""
    refused = await caller.ask(MODEL, request(doubtful()))
    assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (503, "ledger-unavailable")
    assert int(refused.headers["Retry-After"]) > 0


async def reviewed(caller: Caller) -> bool:
    """Whether requests are held again."""
    answer = await caller.ask(MODEL, request(doubtful()), prefer="respond-async")
    return answer.status_code == 202


async def test_a_bad_release_is_rolled_back_without_console_and_redis(world: World) -> None:
    """The command works on the ledger itself, touches no flag, and the gateway follows within the poll."""
    scene = world.scene
    scene.found(MODEL, audit_rate=0.5)
    promoted = scene.operator.post(f"/api/v1/models/{MODEL}/releases/2/promotion", json={"why": "a test"})
    assert promoted.is_success, promoted.text
    async with scene.calling() as caller:

        async def by(release: str) -> bool:
            answer = await caller.ask(MODEL, request(sure()))
            assert answer.status_code == 200, answer.text
            return bool(answer.json()["parameters"]["release"] == release)

        await eventually(lambda: by(f"{MODEL}@2"), "the second release")
        world.server.parts["console"].stop()
        world.redis.stop()
        rolled = await asyncio.to_thread(world.server.run, "rollback", MODEL, "--local", "--why", "the console is away")
        assert f"{MODEL}@1 serves in the place of {MODEL}@2" in rolled.stdout
        await eventually(lambda: by(f"{MODEL}@1"), "the first release", 5)
        world.redis.start()
        await asyncio.to_thread(world.server.begin, "console")
    (model,) = [each for each in scene.operator.get("/api/v1/models").json() if each["name"] == MODEL]
    assert (model["release"], model["flags"][0]["on"]) == (f"{MODEL}@1", True)
    shown = scene.operator.get(f"/api/v1/models/{MODEL}").json()
    assert shown["history"][0]["by"].startswith("local:")
