"""From a rollback to the last decision by the old release, over two gateway processes of a real `lockgate serve`."""

import asyncio
from time import time
from uuid import UUID

import httpx

from gateway.ids import id_time_us
from tests.bench.case import Case
from tests.bench.halt import BODY, CALLERS
from tests.bench.stand import CARD, MODEL, two_gateways
from tests.servers.lockgate import Lockgate

ROLLBACKS = 10
Decided = dict[str, list[float]]


async def _call(client: httpx.AsyncClient, decided: Decided, until: asyncio.Event) -> None:
    """Ask again and again, and note by which release each answer was decided, and when: its UUIDv7 says so."""
    while not until.is_set():
        reply = await client.post(f"/v2/models/{MODEL}/infer", json=BODY)
        assert reply.is_success, reply.text
        told = reply.json()["parameters"]
        decided.setdefault(told["release"], []).append(id_time_us(UUID(told["prediction_id"])) / 1e6)


async def _roll_back_once(server: Lockgate, key: str, number: int) -> float:
    """Seconds from the rollback's acknowledgement to the last decision of any process by the release before."""
    decided: Decided = {}
    over, bad = asyncio.Event(), f"{MODEL}@{number}"
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False) as service,
        httpx.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {server.key}"}) as operator,
    ):
        made = await operator.post(
            f"/api/v1/models/{MODEL}/releases", json={"card": f"{CARD}\nhold_below = 0.{number:02}\n", "why": "bench"}
        )
        assert made.is_success, made.text
        path = f"/api/v1/models/{MODEL}/releases/{number}/promotion"
        promoted = await operator.post(path, json={"why": "bench"})
        assert promoted.is_success, promoted.text
        callers = [asyncio.create_task(_call(service, decided, over)) for _ in range(CALLERS)]
        while len(decided.get(bad, ())) < CALLERS * 5:  # noqa: ASYNC110 - before the clock starts
            await asyncio.sleep(0.01)
        reply = await operator.post(f"/api/v1/models/{MODEL}/rollback", json={"why": "bench"})
        committed = time()
        assert reply.is_success, reply.text
        await asyncio.sleep(1.0)  # long enough for every straggler
        over.set()
        await asyncio.gather(*callers)
    return max(0.0, max(decided[bad]) - committed)


async def _rollbacks(server: Lockgate, key: str) -> list[float]:
    return [await _roll_back_once(server, key, number) for number in range(2, 2 + ROLLBACKS)]


def _measure() -> float:
    with two_gateways() as (server, key):
        return max(asyncio.run(_rollbacks(server, key))) * 1000


CASES = (
    Case(
        name="rollback_to_last_old_ms",
        what=f"milliseconds from a rollback to the last decision by the old release, two gateways, most of {ROLLBACKS}",
        better="lower",
        goal=100.0,
        measure=_measure,
    ),
)
