"""A change is simulated over recorded traffic, then made, and the same requests sent again come out as it said."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.acceptance.cards import card, doubtful, request, sure
from tests.acceptance.scene import Json, Scene, eventually

ASYNC = {"Prefer": "respond-async"}
REQUESTS = 24


def likely() -> list[float]:
    """An item of which the model is sure by 0.84."""
    number, *_ = sure()
    return [number, 10.0, -number, 0.0]


def traffic() -> list[Json]:
    """Requests of all sorts: sure and doubtful ones, of users, sessions and nobody, some asking for a person."""
    found: list[Json] = []
    for number in range(REQUESTS):
        parameters: Json = {}
        if number % 3 == 1:
            parameters["user_id"] = f"user-{number}"
        if number % 4 == 2:
            parameters["session_id"] = f"session-{number % 8}"
        if number % 8 == 7:
            parameters["review"] = "require"
        items = [(sure, doubtful, likely)[number % 3]()] + ([sure()] if number % 5 == 0 else [])
        found.append(request(*items, parameters=parameters))
    return found


async def send(client: httpx.AsyncClient, model: str, bodies: list[Json]) -> Counter[tuple[str, str]]:
    """Send them all; how many came out on which path by which public rule. What was held is withdrawn again."""
    told: Counter[tuple[str, str]] = Counter()
    for body in bodies:
        answer = await client.post(f"/v2/models/{model}/infer", json=body, headers=ASYNC)
        assert answer.status_code in (200, 202), answer.text
        said = answer.json()["parameters"]
        told[said["path"], said["rule"]] += 1
        if answer.status_code == httpx.codes.ACCEPTED:
            assert (await client.delete(answer.headers["Location"])).is_success
    return told


async def until_told(client: httpx.AsyncClient, model: str, name: str, wanted: str) -> None:
    """Return once answers of the model carry this value under a name, such as the state of flags that was set."""

    async def look() -> bool:
        answer = await client.post(f"/v2/models/{model}/infer", json=request(sure()), headers=ASYNC)
        if answer.status_code == httpx.codes.ACCEPTED:
            await client.delete(answer.headers["Location"])
        return bool(answer.json()["parameters"][name] == wanted)

    await eventually(look, f"{name} {wanted}", 30.0)


def simulate(scene: Scene, model: str, *words: object, since: str = "1h") -> tuple[str, Json]:
    """What `lockgate flags simulate` says of a model: the id of the simulation, and its report."""
    report = scene.server.json("flags", "simulate", model, "--since", since, *words)
    newest: list[Json] = scene.operator.get(f"/api/v1/models/{model}/simulations").json()
    return str(newest[0]["id"]), report


def paths(changes: list[Json], side: str) -> Counter[str]:
    """How many requests a simulation puts on which path, on one side."""
    counted: Counter[str] = Counter()
    for one in changes:
        counted[one[f"path_{side}"]] += round(one["requests"])
    return counted


def by_path(told: Counter[tuple[str, str]]) -> Counter[str]:
    """The same of what really happened."""
    counted: Counter[str] = Counter()
    for (path, _), count in told.items():
        counted[path] += count
    return counted


async def test_what_is_simulated_is_what_then_happens(scene: Scene) -> None:
    """Flags switched on for a share of sticky traffic, and then a policy that holds more: each time the requests that
    were recorded before, sent again after the change, take exactly the paths that the simulation gave them."""
    model = "foreseen"
    scene.found(model)
    bodies = traffic()
    async with scene.calling() as caller:
        before = await send(caller.client, model, bodies)
        assert by_path(before) == {"review": REQUESTS}
        simulation, report = simulate(scene, model, "--set", "automated=on", "--set", "automated.rollout=60")
        assert (report["requests"], report["unknown"]) == (REQUESTS, [])
        assert paths(report["changes"], "now") == by_path(before)
        assert report["fidelity"]["as_recorded"] == report["fidelity"]["requests"] == REQUESTS

        flipped = change_flags(scene, model, simulation)
        await until_told(caller.client, model, "flag_state", flipped["state"])
        after = await send(caller.client, model, bodies)
        assert by_path(after) == paths(report["changes"], "then")
        assert set(by_path(after)) == {"automated", "review"}
        assert named_in_history(scene, model) == simulation


async def test_a_simulated_policy_holds_just_what_it_said(scene: Scene) -> None:
    """A higher threshold, simulated over what was recorded and then released, holds just as many as it said."""
    model, bodies = "stricter", traffic()
    scene.found(model)
    scene.switch(model, on=True)
    scene.until_automated(model)
    since = datetime.now(UTC).isoformat()
    async with scene.calling() as caller:
        recorded = await send(caller.client, model, bodies)
        simulation, report = simulate(scene, model, "--policy", "hold_below=0.9", since=since)
        assert (report["requests"], report["unknown"]) == (REQUESTS, [])
        assert paths(report["changes"], "now") == by_path(recorded)
        release(scene, model, simulation)
        await until_told(caller.client, model, "release", f"{model}@2")
        after = await send(caller.client, model, bodies)
    assert by_path(after) == paths(report["changes"], "then")
    assert by_path(after) != by_path(recorded)
    told = scene.server.run("timeline", model).stdout
    assert "hold_below=0.9 would change the path of" in told


def change_flags(scene: Scene, model: str, simulation: str) -> Json:
    """Make the change that was simulated, naming the simulation."""
    flag = f"{model}.automated"
    scene.server.run("flags", "set", flag, "--rollout", "60", "--why", "as foreseen")
    flipped: Json = scene.server.json("flags", "on", flag, "--why", "as foreseen", "--simulation", simulation)
    return flipped


def named_in_history(scene: Scene, model: str) -> Any:
    """The simulation that the latest change of the model's flag names."""
    return scene.server.json("flags", "show", f"{model}.automated")["history"][0]["authorship"]["simulation"]


def release(scene: Scene, model: str, simulation: str) -> None:
    """Make and promote the release that was simulated, naming the simulation."""
    stricter = card().replace("hold_below = 0.6", "hold_below = 0.9")
    body = {"card": stricter, "why": "hold more", "simulation": simulation}
    created = scene.operator.post(f"/api/v1/models/{model}/releases", json=body)
    assert created.is_success, created.text
    promoted = scene.operator.post(f"/api/v1/models/{model}/releases/2/promotion", json={"why": "hold more"})
    assert promoted.is_success, promoted.text
