"""Flags of a real Unleash server: flipped there, followed by every gateway, and what is answered when it is away."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest

from tests.acceptance.cards import request, sure
from tests.acceptance.scene import Caller, Scene, calling_at, eventually, staged
from tests.servers.lockgate import TLS
from tests.servers.unleash import CLIENT_TOKEN, Unleash

MODEL, BRIEF = "grades", "brief"
GATEWAYS = ("gateway-1", "gateway-2")
STALE_S = 4.0
HALT_S = 1.0
HELD, ANSWERED = 202, 200
NOT_WAITING = {"Prefer": "respond-async"}


class World(NamedTuple):
    """A Lockgate with two gateways, and the Unleash server whose flags it has; none where it keeps them itself."""

    scene: Scene
    unleash: Unleash | None

    def flags(self) -> dict[str, dict[str, Any]]:
        """How the flags of each gateway are, by its name."""
        health = httpx.get(f"{self.scene.server.monitor_url}/health", timeout=30, verify=TLS).json()
        return {one["process"]: one["flags"] for one in health["processes"] if one.get("flags")}

    def metrics(self) -> str:
        """Every number of every process."""
        return httpx.get(f"{self.scene.server.monitor_url}/metrics", timeout=30, verify=TLS).text

    async def until_flags(self, holds: Any, what: str) -> None:
        """Return once this holds of the flags of both gateways."""

        async def look() -> bool:
            found = self.flags()
            return set(found) == set(GATEWAYS) and all(map(holds, found.values()))

        await eventually(look, what, 60)


@pytest.fixture(scope="module")
def strategies() -> dict[str, str]:
    """The id of each flag's strategy."""
    return {}


@pytest.fixture(scope="module")
def world(
    shared_unleash: Unleash, strategies: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Two models whose `automated` is on in Unleash; one of them does not trust flags that are older than seconds."""
    for model in (MODEL, BRIEF):
        flag = f"{model}.automated"
        shared_unleash.admin.create(flag)
        strategies[flag] = shared_unleash.admin.strategy(flag)
        shared_unleash.admin.on(flag)
    settings = {
        "flags_source": "unleash",
        "unleash_url": shared_unleash.api_url,
        "unleash_token": CLIENT_TOKEN,
        "unleash_refresh_s": 1,
        "unleash_usage_s": 1,
    }
    with staged(tmp_path_factory.mktemp("unleash"), gateways=2, **settings) as scene:
        scene.found(BRIEF, stale_after_s=STALE_S)
        yield World(scene, shared_unleash)


class Hand(NamedTuple):
    """What turns the flag of a model, wherever it is kept."""

    world: World
    switch: Callable[[bool], None]
    roll_out: Callable[[int], None]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A Lockgate with two gateways that keeps its flags itself."""
    with staged(tmp_path_factory.mktemp("embedded"), gateways=2) as scene:
        scene.switch(MODEL, on=True)
        yield scene


@pytest.fixture(params=["unleash", "embedded"])
def hand(request: pytest.FixtureRequest) -> Hand:
    """The flag `automated` of the model, on for everybody: on a server, and kept here."""
    flag = f"{MODEL}.automated"
    if request.param == "embedded":
        scene: Scene = request.getfixturevalue("embedded")

        def set_rollout(percent: int) -> None:
            scene.server.run("flags", "set", flag, "--rollout", percent, "--why", "a test")

        return Hand(World(scene, None), lambda on: scene.switch(MODEL, on=on), set_rollout)
    world: World = request.getfixturevalue("world")
    strategy, admin = request.getfixturevalue("strategies")[flag], world.unleash.admin

    def replace_rollout(percent: int) -> None:
        change = {"op": "replace", "path": "/parameters/rollout", "value": str(percent)}
        admin.replace_strategy(flag, strategy, change)

    return Hand(world, lambda on: admin.on(flag) if on else admin.off(flag), replace_rollout)


async def status(caller: Caller, model: str, **parameters: str) -> int:
    """Whether a request of which the model is sure is answered at once or held."""
    asked = await caller.ask(model, request(sure(), parameters=parameters), prefer="respond-async")
    return asked.status_code


@asynccontextmanager
async def calling_both(scene: Scene) -> AsyncIterator[tuple[Caller, Caller]]:
    """A service at each gateway."""
    async with calling_at(scene, GATEWAYS[0]) as one, calling_at(scene, GATEWAYS[1]) as two:
        yield one, two


async def until_both(callers: tuple[Caller, Caller], model: str, expected: int, **parameters: str) -> None:
    """Return once both gateways answer so."""

    async def look() -> bool:
        return [await status(caller, model, **parameters) for caller in callers] == [expected, expected]

    await eventually(look, f"{expected} for {model} from both", 60)


async def test_a_flip_takes_effect_in_every_gateway(hand: Hand) -> None:
    """Off, and every request waits for a person; on again, and the model answers: on a server's flags and on ours."""
    async with calling_both(hand.world.scene) as callers:
        await until_both(callers, MODEL, ANSWERED)
        hand.switch(False)
        await until_both(callers, MODEL, HELD)
        hand.switch(True)
        await until_both(callers, MODEL, ANSWERED)


async def test_both_gateways_agree_on_a_rollout(hand: Hand) -> None:
    """Half of the users are let in, and it is the same half at either process, wherever the flag is kept."""
    users = [f"user-{number}" for number in range(24)]
    async with calling_both(hand.world.scene) as (one, two):
        before = max(flags["revision"] for flags in hand.world.flags().values())
        hand.roll_out(50)
        await hand.world.until_flags(lambda flags: flags["revision"] > before, "the rollout")
        first = [await status(one, MODEL, user_id=user) for user in users]
        second = [await status(two, MODEL, user_id=user) for user in users]
        assert first == second
        assert set(first) == {ANSWERED, HELD}
        hand.roll_out(100)
        await until_both((one, two), MODEL, ANSWERED, user_id=users[first.index(HELD)])


async def test_usage_is_shown_on_unleashs_own_screen(world: World) -> None:
    """How often the flag was on and off, as its gateways told it."""
    flag = f"{MODEL}.automated"
    async with calling_both(world.scene) as callers:
        await until_both(callers, MODEL, ANSWERED)
        world.unleash.admin.off(flag)
        await until_both(callers, MODEL, HELD)
        world.unleash.admin.on(flag)
        await until_both(callers, MODEL, ANSWERED)

    async def used() -> bool:
        return any(hour["yes"] and hour["no"] for hour in world.unleash.admin.usage(flag))

    await eventually(used, "the usage on Unleash's own screen", 60)


@contextmanager
def loaded(scene: Scene) -> Iterator[list[int]]:
    """What a service is told that asks one request after another until the block ends, in a thread of its own."""
    told: list[int] = []
    over = threading.Event()

    def ask() -> None:
        with scene.server.client(scene.caller) as client:
            while not over.wait(0.01):
                asked = client.post(f"/v2/models/{MODEL}/infer", json=request(sure()), headers=NOT_WAITING)
                told.append(asked.status_code)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join()


async def test_flags_are_changed_there_and_not_here(world: World) -> None:
    """Every way to flip a flag here is refused with the server's name; what is shown is what is in force there."""
    flag = f"{MODEL}.automated"
    await world.until_flags(lambda flags: flags["error"] is None, "a fetch")
    for path, body in (("/switch", {"on": False}), ("", {"rollout": 10})):
        refused = world.scene.operator.put(f"/api/v1/flags/{flag}{path}", json={"why": "a test", **body})
        assert refused.status_code == 409
        assert refused.json()["type"].endswith("#flags-elsewhere")
        assert world.unleash.url in refused.json()["detail"]
    shown = world.scene.operator.get(f"/api/v1/flags/{flag}").json()
    assert (shown["switch"]["on"], shown["switch"]["reach"]) == (True, "everybody")
    source = world.scene.operator.get("/api/v1/flags/source").json()
    assert (source["source"], source["url"], source["error"]) == ("unleash", world.unleash.url, None)
    assert source["state"] == shown["state"]
    served = world.scene.operator.get(f"/api/v1/models/{MODEL}").json()["served"]
    assert [one["on"] for one in served["flags"]] == [True, False, False]


async def test_a_killed_server_fails_no_request(world: World) -> None:
    """Under load nobody notices; the age grows, past the model's limit people decide, and all recovers by itself."""
    with loaded(world.scene) as told:
        async with calling_both(world.scene) as callers:
            await until_both(callers, BRIEF, ANSWERED)
            world.unleash.kill()
            await world.until_flags(lambda flags: "cannot be reached" in (flags["error"] or ""), "a named failure")
            await world.until_flags(lambda flags: flags["age_s"] > STALE_S, "flags that are too old")
            await until_both(callers, BRIEF, HELD)
            assert 'rule="flags_stale"' in world.metrics()
            assert 'lockgate_flag_fetches_total{result="unreachable"' in world.metrics()
            assert world.scene.server.ready()
            world.unleash.start()
            await until_both(callers, BRIEF, ANSWERED)
            await world.until_flags(lambda flags: flags["error"] is None and flags["age_s"] < STALE_S, "recovery")
    assert set(told) == {ANSWERED}


async def test_a_server_that_hangs_is_named_and_waited_for_by_nobody(world: World) -> None:
    """It takes requests and answers none: callers are answered as before, a halt too, and the health page says why."""
    async with calling_both(world.scene) as callers:
        await until_both(callers, MODEL, ANSWERED)
        world.unleash.pause()
        try:
            await world.until_flags(lambda flags: "does not answer" in (flags["error"] or ""), "a named failure")
            assert [await status(caller, MODEL) for caller in callers] == [ANSWERED, ANSWERED]
            world.scene.halt(MODEL, "review")
            await until_both(callers, MODEL, HELD)
            world.scene.lift(MODEL)
            await until_both(callers, MODEL, ANSWERED)
        finally:
            world.unleash.resume()
        await world.until_flags(lambda flags: flags["error"] is None, "recovery")


async def test_a_halt_takes_effect_everywhere_within_a_second_while_the_server_hangs(world: World) -> None:
    """Neither process decides automatically later than a second after the halt was acknowledged."""
    async with calling_both(world.scene) as callers:
        await until_both(callers, MODEL, ANSWERED)
        world.unleash.pause()
        try:
            await world.until_flags(lambda flags: "does not answer" in (flags["error"] or ""), "a named failure")
            world.scene.halt(MODEL, "review")
            halted = time.time()
            last = await asyncio.gather(*(last_automated(caller) for caller in callers))
            assert max(last) <= halted + HALT_S
            world.scene.lift(MODEL)
            await until_both(callers, MODEL, ANSWERED)
        finally:
            world.unleash.resume()
        await world.until_flags(lambda flags: flags["error"] is None, "recovery")


async def last_automated(caller: Caller) -> float:
    """When the last request was decided that was answered at once, in seconds: its UUIDv7 says so; 0 without one."""
    last = 0.0
    while (asked := await caller.ask(MODEL, request(sure()), prefer="respond-async")).status_code == ANSWERED:
        last = (UUID(asked.json()["parameters"]["prediction_id"]).int >> 80) / 1000
    assert asked.status_code == HELD, asked.text
    return last


async def test_a_restart_without_the_server_goes_on_with_the_last_good_state(world: World) -> None:
    """The ledger has it: gateways that kept nothing themselves answer as before, and doctor says what is wrong."""
    async with world.scene.calling() as caller:
        await eventually(lambda: is_answered(caller), "an automated answer", 60)
        before = (await caller.ask(MODEL, request(sure()))).json()
    story = world.scene.server.json("predictions", "show", before["parameters"]["prediction_id"])["story"]
    assert (story["flag_state"], story["flag_revision"] > 0) == (before["parameters"]["flag_state"], True)
    world.unleash.kill()
    world.scene.server.stop()
    for kept in (world.scene.server.folder / "data" / "snapshots").glob("*-flags.msgpack"):
        kept.unlink()
    world.scene.server.start()
    async with world.scene.calling() as caller:
        after = await caller.ask(MODEL, request(sure()))
        assert after.status_code == ANSWERED
        assert after.json()["parameters"]["flag_state"] == before["parameters"]["flag_state"]
        await world.until_flags(lambda flags: flags["error"], "a named failure")
    doctor = world.scene.server.json("doctor")
    assert "cannot be reached" in next(finding["says"] for finding in doctor if finding["part"] == "unleash")


async def is_answered(caller: Caller) -> bool:
    """Whether the model answers by itself."""
    return await status(caller, MODEL) == ANSWERED
