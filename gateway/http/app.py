"""The gateway's ASGI application: predictions go straight to their entry, everything else to what answers beside."""

import asyncio
from typing import TYPE_CHECKING

import msgspec

from gateway.express.exchange import Exchange
from gateway.express.express import Express
from gateway.holding.holds import Holds
from gateway.http.asgi import Receive, Scope, Send
from gateway.http.entry import INFER, Bounds, PredictEntry
from gateway.http.problem_media import as_problems, asks_for_problems
from gateway.http.truths import Truths
from gateway.live import Live
from gateway.pipeline import Pipeline
from gateway.registry.follower import Follower

if TYPE_CHECKING:
    from gateway.http.beside import Beside


class GatewayParts(msgspec.Struct, frozen=True, kw_only=True):
    """The opened parts that a gateway answers with."""

    follower: Follower
    pipeline: Pipeline
    holds: Holds
    truths: Truths
    live: Live
    console_url: str
    express: Express
    bounds: Bounds
    api_body_max_bytes: int


class Gateway:
    """Everything that answers on the gateway's listener."""

    def __init__(self, parts: GatewayParts) -> None:
        self.live = parts.live
        self._parts = parts
        self._express = parts.express
        self._predict = PredictEntry(parts.pipeline, parts.follower, parts.bounds)
        self._beside: asyncio.Task[Beside] | None = None

    def take(self, exchange: Exchange) -> bool:
        """Whether a request that came whole is answered the express way; if not, nothing has happened to it."""
        return self._express.take(exchange)

    def room(self, exchange: Exchange, size: int) -> memoryview | None:
        """Where a larger body shall lie, to be taken whole; None where it is read while it is answered."""
        return self._express.room(exchange, size)

    async def complete(self) -> None:
        """Load what answers beside predictions, which are answered meanwhile."""
        await self._completed()

    def end_streams(self) -> None:
        """End the streams of the console that are passed on."""
        if self._beside is not None and self._beside.done():
            self._beside.result().end_streams()

    async def close(self) -> None:
        """Close the connections to the console."""
        if self._beside is not None:
            await (await self._beside).close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Dispatch by path; the prediction path first and without a router."""
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path.startswith("/v2") and asks_for_problems(scope["headers"]):
            send = as_problems(send)
        if scope["method"] == "POST" and (found := INFER.fullmatch(path)):
            await self._predict(scope, receive, send, found[1], found[2])
        else:
            await (await self._completed())(scope, receive, send)

    async def _completed(self) -> "Beside":
        """What answers beside, loaded once and off the loop; whoever asks before that waits for it."""
        if self._beside is None:
            self._beside = asyncio.create_task(asyncio.to_thread(_load, self._parts), name="beside")
        return await asyncio.shield(self._beside)


def _load(parts: GatewayParts) -> "Beside":
    from gateway.http.beside import Beside

    return Beside(parts)
