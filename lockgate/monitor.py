"""The listener for machines: `/metrics`, `/health`, `/health/live` and `/health/ready`.

Readiness depends on a loaded plan alone; the state of dependencies is on the health page and in the metrics, so that no
outage of theirs takes every replica away.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

import msgspec

from gateway import metrics
from lockgate.health import ProcessHealth, count, together
from lockgate.web import App

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
JSON = b"application/json"
TEXT = b"text/plain; version=0.0.4; charset=utf-8"


class Watched(Protocol):
    """What the monitor asks for."""

    async def metrics(self) -> str:
        """Every number, in the text format of Prometheus."""

    async def health(self) -> msgspec.Struct:
        """The health page."""

    async def ready(self) -> bool:
        """Whether requests should be sent here."""


class WatchedProcess:
    """One process, watched by itself."""

    def __init__(self, name: str, health: Callable[[], Awaitable[ProcessHealth]]) -> None:
        self._name = name
        self._health = health

    async def metrics(self) -> str:
        """The numbers of this process."""
        count(await self._health())
        return metrics.render(self._name)

    async def health(self) -> msgspec.Struct:
        """The health of this process."""
        return together([await self._health()])

    async def ready(self) -> bool:
        """Whether this process has what it needs to answer."""
        return (await self._health()).ready


def monitor(watched: Watched) -> App:
    """The ASGI application of the listener."""

    async def answer(path: str) -> tuple[int, bytes, bytes]:
        if path == "/metrics":
            return 200, TEXT, (await watched.metrics()).encode()
        if path == "/health":
            return 200, JSON, msgspec.json.format(msgspec.json.encode(await watched.health()))
        if path == "/health/live":
            return 200, JSON, b'{"live":true}'
        if path == "/health/ready":
            ready = await watched.ready()
            return (200 if ready else 503), JSON, msgspec.json.encode({"ready": ready})
        return 404, JSON, b'{"error":"There is nothing here: try /health or /metrics."}'

    async def app(scope: MutableMapping[str, Any], _receive: object, send: Send) -> None:
        status, kind, body = await answer(scope["path"])
        headers = [
            (b"content-type", kind),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return app
