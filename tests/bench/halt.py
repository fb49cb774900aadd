"""From an operator's halt to the last automated decision, over two gateway processes of a real `lockgate serve`."""

import asyncio
from time import time
from uuid import UUID

import httpx

from gateway.ids import id_time_us
from tests.bench.case import Case
from tests.bench.stand import MODEL, two_gateways
from tests.servers.lockgate import Lockgate

CALLERS = 4
HALTS = 10
BODY = {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["rather good"]}]}


async def _call(client: httpx.AsyncClient, decided: list[float], until: asyncio.Event) -> None:
    """Ask again and again, and note when each automated answer was decided: its UUIDv7 says so to the millisecond."""
    while not until.is_set():
        reply = await client.post(f"/v2/models/{MODEL}/infer", json=BODY)
        if reply.status_code == httpx.codes.OK:
            prediction_id = UUID(reply.json()["parameters"]["prediction_id"])
            decided.append(id_time_us(prediction_id) / 1e6)
        else:
            assert reply.status_code == httpx.codes.SERVICE_UNAVAILABLE, reply.text


async def _halt_once(server: Lockgate, key: str) -> float:
    """Seconds from the halt's acknowledgement to the last automated decision of any process."""
    decided: list[float] = []
    over = asyncio.Event()
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False) as service,
        httpx.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {server.key}"}) as operator,
    ):
        callers = [asyncio.create_task(_call(service, decided, over)) for _ in range(CALLERS)]
        while len(decided) < CALLERS * 5:  # noqa: ASYNC110 - before the clock starts
            await asyncio.sleep(0.01)
        reply = await operator.put(f"/api/v1/models/{MODEL}/halt", json={"mode": "refuse", "why": "bench"})
        committed = time()
        assert reply.is_success, reply.text
        await asyncio.sleep(1.0)  # long enough for every straggler
        over.set()
        await asyncio.gather(*callers)
        lifted = await operator.delete(f"/api/v1/models/{MODEL}/halt", params={"why": "bench"})
        assert lifted.is_success, lifted.text
    return max(0.0, max(decided) - committed)


async def _halts(server: Lockgate, key: str) -> list[float]:
    return [await _halt_once(server, key) for _ in range(HALTS)]


def _measure() -> float:
    with two_gateways() as (server, key):
        return max(asyncio.run(_halts(server, key))) * 1000


CASES = (
    Case(
        name="halt_to_last_automated_ms",
        what=f"milliseconds from a halt to the last automated decision of two gateway processes, most of {HALTS}",
        better="lower",
        goal=100.0,
        measure=_measure,
    ),
)
