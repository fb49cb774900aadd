"""Where too many wait for a model, a request is refused as it comes exactly as the general way refuses it."""

import asyncio
import re
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from structlog.testing import capture_logs

from gateway import metrics
from gateway.express.exchange import Exchange
from gateway.http.asgi import Receive, Scope, Send
from gateway.http.entry import INFER, Bounds, PredictEntry
from gateway.inference.batching import Batcher
from gateway.inference.session import INLINE_MAX_US, Cost
from lockgate.web import serving
from tests.bench.stand import Stand, open_stand
from tests.integration.express.test_both_ways import CARD, ROW, body
from tests.models import network

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
BOUNDED = CARD + "[batching]\nmax_waiting = 1\n"
LONG = Cost(first_us=INLINE_MAX_US * 2_000, further_us=INLINE_MAX_US * 2_000)
"""No run takes so long; what is told of the line's wait is reckoned with it."""
FAMILIES = (metrics.REFUSALS, metrics.LINE_REFUSED, metrics.PREDICTION_SECONDS, metrics.PREDICTIONS)


class Both:
    """A gateway's prediction entry, with the express way before it or not."""

    def __init__(self, stand: Stand) -> None:
        bounds = Bounds(body_max_bytes=1 << 20, body_s=30, compress_min_bytes=0)
        self._entry = PredictEntry(stand.pipeline, stand.follower, bounds)
        self._express = stand.express
        self.express = True
        self.taken: list[bool] = []

    def take(self, exchange: Exchange) -> bool:
        """Ask the express way, where it is open."""
        if self.express:
            self.taken.append(self._express.take(exchange))
        return self.express and self.taken[-1]

    def room(self, exchange: Exchange, size: int) -> memoryview | None:
        """Where a larger body shall lie."""
        return self._express.room(exchange, size) if self.express else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The general way."""
        found = INFER.fullmatch(scope["path"])
        assert found is not None
        await self._entry(scope, receive, send, found[1], found[2])


@asynccontextmanager
async def crowded(card: str = BOUNDED) -> AsyncIterator[tuple[Stand, Both, threading.Event]]:
    """A model that runs until the event is set, with one request running and one that waits for it."""
    async with open_stand("m", network(4, 8, 3), card) as stand:
        await stand.switch(on=True, model="m")
        live, may_run = stand.follower.live, threading.Event()
        champion = live.live(next(iter(live.plan.models.values())).champion)
        assert isinstance(champion.runner, Batcher)
        champion.session.cost = LONG  # type: ignore[attr-defined]
        champion.session.in_thread(may_run.wait, 60.0)  # type: ignore[attr-defined]
        feeds = champion.decoder.decode(body(ROW)).feeds
        waiting = [
            asyncio.create_task(champion.runner.infer(feeds, items=1, caller=stand.caller.key_id)) for _ in range(2)
        ]
        await asyncio.sleep(0)
        try:
            yield stand, Both(stand), may_run
        finally:
            may_run.set()
            await asyncio.gather(*waiting)


@asynccontextmanager
async def connected(app: Both) -> AsyncIterator[Connection]:
    """A connection to a server of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with serving(app, listener, drain_s=5):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            yield reader, writer
            writer.close()


def request(stand: Stand, *lines: str, path: str = "/v2/models/m/infer", content: bytes = body(ROW)) -> bytes:
    """The bytes of a request."""
    head = [f"POST {path} HTTP/1.1", "host: here", f"authorization: Bearer {stand.key}", *lines]
    return "\r\n".join([*head, f"content-length: {len(content)}", "", ""]).encode() + content


async def said(connection: Connection, sent: bytes) -> bytes:
    """What is answered, without the date."""
    reader, writer = connection
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None
    return re.sub(rb"date: [^\r]*", b"date", head) + await reader.readexactly(int(length[1]))


def counted() -> list[list[tuple[Any, ...]]]:
    """What was counted, but for durations."""
    return [
        [each for each in family.samples() if each[0] in ("", "_count")] for family in FAMILIES
    ]  # fmt: skip


def refusals(stand: Stand) -> dict[str, bytes]:
    """Requests that are refused alike, whatever else they ask for."""
    return {
        "a plain one": request(stand),
        "one that names a version": request(stand, path="/v2/models/m/versions/1/infer"),
        "one that names a version which is not there": request(stand, path="/v2/models/m/versions/9/infer"),
        "one with a preference": request(stand, "prefer: respond-async"),
        "one that is wrong": request(stand, content=b"{"),
    }


async def told(stand: Stand, app: Both, connection: Connection, sent: bytes) -> tuple[Any, ...]:
    """What is answered, counted and logged."""
    for family in FAMILIES:
        family.forget()
    with capture_logs() as events:
        answer = await said(connection, sent)
    return answer, counted(), [{name: event[name] for name in event if name != "ms"} for event in events]


async def test_both_ways_refuse_alike() -> None:
    """The same bytes, counts and events, on a connection that goes on; other reasons keep the general way."""
    async with crowded() as (stand, app, _), connected(app) as connection:
        for name, sent in refusals(stand).items():
            app.express = True
            express = await told(stand, app, connection, sent)
            app.express = False
            assert express == await told(stand, app, connection, sent), name
            assert express[0].startswith(b"HTTP/1.1 503 Service Unavailable\r\n"), name
            assert b"\r\nretry-after: 1\r\n" in express[0], name
            [event] = express[2]
            assert (event["model"], event["status"], event["error"]) == ("m", 503, "too-many-wait"), name
        assert app.taken == [True] * len(refusals(stand))
        app.express = True
        for name, (status, sent) in others(stand).items():
            assert (await said(connection, sent)).startswith(b"HTTP/1.1 %d " % status), name
        assert app.taken[len(refusals(stand)) :] == [False] * len(others(stand))


def others(stand: Stand) -> dict[str, tuple[int, bytes]]:
    """Requests that are refused whatever waits, or in another form, with their status."""
    return {
        "no key that is known": (401, request(stand).replace(stand.key.encode(), b"lg_nobody")),
        "no key": (401, request(stand).replace(b"authorization", b"x-other")),
        "no model": (404, request(stand, path="/v2/models/n/infer")),
        "as a problem": (503, request(stand, "accept: application/problem+json")),
    }


async def test_the_line_is_looked_at_anew_for_each_request() -> None:
    """Whoever comes when there is room again is answered."""
    async with crowded() as (stand, app, may_run), connected(app) as connection:
        assert (await said(connection, request(stand))).startswith(b"HTTP/1.1 503")
        may_run.set()
        while (answer := await said(connection, request(stand))).startswith(b"HTTP/1.1 503"):
            pass
        assert answer.startswith(b"HTTP/1.1 200")
