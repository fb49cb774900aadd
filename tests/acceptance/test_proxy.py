"""Behind a proxy that sends again what was answered 503, no review is multiplied."""

import asyncio

import httpx

from tests.acceptance.cards import answers, doubtful, request
from tests.acceptance.proxies import RetryingProxy, retrying_proxy
from tests.acceptance.scene import Json, Scene, eventually

MODEL = "proxied"


async def through(proxy: RetryingProxy, key: str, body: Json, prefer: str) -> httpx.Response:
    """What a caller behind the proxy is answered."""
    headers = {"Authorization": f"Bearer {key}", "Prefer": prefer, "Connection": "close"}
    async with httpx.AsyncClient(headers=headers, timeout=70, trust_env=False) as client:
        return await client.post(f"http://127.0.0.1:{proxy.port}/v2/models/{MODEL}/infer", json=body)


async def test_a_retrying_proxy_multiplies_no_review(scene: Scene) -> None:
    """Four tries of each of five callers are five cases; a verdict between two tries answers the next one."""
    scene.found(MODEL)
    bodies = [request(doubtful()) for _ in range(5)]
    async with retrying_proxy(scene.server.port) as proxy, scene.reviewing() as reviewer:
        refused = await asyncio.gather(*(through(proxy, scene.caller, body, "wait=0") for body in bodies))
        assert [answer.status_code for answer in refused] == [503] * 5
        assert proxy.forwarded == 20
        cases = await reviewer.cases(model=MODEL)
        assert len(cases) == 5
        assert {f"/v2/predictions/{case['prediction_id']}" for case in cases} == {
            answer.headers["Location"] for answer in refused
        }

        body = request(doubtful())
        call = asyncio.create_task(through(proxy, scene.caller, body, "wait=1"))

        async def tried_again() -> bool:
            return proxy.forwarded >= 22

        await eventually(tried_again, "the second try")
        (case,) = [case for case in await reviewer.cases(model=MODEL) if case not in cases]
        await reviewer.judge(case["id"], "correct", "low")
        assert answers((await call).json()) == ["low"]
        assert len(await reviewer.cases(model=MODEL)) == 6
