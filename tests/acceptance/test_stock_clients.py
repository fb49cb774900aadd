"""The stock clients of Triton and KServe, each in an environment of its own: calling, waiting, meeting 202 and 503."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.cards import CLASSES, doubtful, sure
from tests.acceptance.scene import Scene

STOCK = Path(__file__).parent / "stock"
Ask = Callable[..., Coroutine[Any, Any, dict[str, Any]]]
STARTED_S = 120.0
"""A client that is started for the first time is compiled first, which takes a while on a busy machine."""


@pytest.fixture(params=["triton", "kserve"])
def ask(request: pytest.FixtureRequest, scene: Scene, client_python: Callable[[str], Path]) -> Ask:
    """A function that calls a model with the client; what its user sees."""
    script = STOCK / f"{request.param}_caller.py"
    python = client_python(request.param)

    async def call(model: str, row: list[float], *, prefer: str = "") -> dict[str, Any]:
        address = f"127.0.0.1:{scene.server.port}"
        words = [str(script), address, scene.caller, model, prefer, *map(str, row)]
        pipe = asyncio.subprocess.PIPE
        done = await asyncio.create_subprocess_exec(python, *words, stdout=pipe, stderr=pipe)
        try:
            out, errors = await done.communicate()
        finally:
            if done.returncode is None:  # the test has failed meanwhile
                done.kill()
                await done.wait()
        assert done.returncode == 0, errors.decode()
        seen: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
        return seen

    return call


@pytest.fixture(scope="module")
def stocked(scene: Scene) -> Scene:
    """A model for these clients, which answers by itself what it is sure of."""
    scene.found("stock", wait_cap_s=50.0)
    scene.switch("stock", on=True)
    scene.until_automated("stock")
    return scene


async def test_a_stock_client_is_answered(stocked: Scene, ask: Ask) -> None:
    """With a key it reads the metadata, asks, and finds the model's answer with who answered."""
    seen = await ask("stock", sure())
    assert [CLASSES[index] for index in seen["argmax"]] == ["high"]
    assert (seen["parameters"]["review_status"], seen["parameters"]["release"]) == ("automated", "stock@1")


async def test_a_stock_client_waits_for_the_verdict(stocked: Scene, ask: Ask) -> None:
    """It waits for a person like for a slow model, and an argmax over the corrected answer gives the correction."""
    async with stocked.reviewing() as reviewer, asyncio.TaskGroup() as group:
        call = group.create_task(ask("stock", doubtful()))
        case = await reviewer.waiting_case("stock", STARTED_S)
        await reviewer.judge(case["id"], "correct", "low")
    seen = call.result()
    assert [CLASSES[index] for index in seen["argmax"]] == ["low"]
    assert seen["parameters"]["review_status"] == "corrected"


async def test_a_stock_client_meets_202(stocked: Scene, ask: Ask) -> None:
    """Asked to respond at once, it tells its user that the request is held: by our text, or by no answer and our id."""
    async with stocked.reviewing() as reviewer:
        seen = await ask("stock", doubtful(), prefer="respond-async")
        case = await reviewer.next_case(model="stock")
        if "error" in seen:
            assert f"held for human review: GET /v2/predictions/{case['prediction_id']}" in seen["error"]
        else:
            assert seen["argmax"] is None
            assert seen["parameters"]["prediction_id"] == case["prediction_id"]
            assert seen["parameters"]["review_status"] == "held"
        await reviewer.judge(case["id"], "approve")


async def test_a_stock_client_meets_503(stocked: Scene, ask: Ask) -> None:
    """When nobody judges in time, its user reads our sentence with the prediction's URL."""
    async with stocked.reviewing() as reviewer:
        seen = await ask("stock", doubtful(), prefer="wait=0")
        case = await reviewer.next_case(model="stock")
        assert f"/v2/predictions/{case['prediction_id']}" in seen["error"]
        assert seen["status"] == "503"
        await reviewer.judge(case["id"], "approve")
