"""uvicorn, run by us: sockets and signals are ours, and so is the log."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from lockgate.bounded import Bounded
from lockgate.crowd import Bounds, Crowd
from lockgate.exchanges import WholeRequests

App = Any
"""An ASGI application; uvicorn's own type for it is private."""


QUIET_S = 75.0
"""Longer than the load balancers before us keep a connection, so that they are the ones to close it."""


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals alone and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals belong to the process, not to one of its servers."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept."""
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def serving(
    app: App, listener: socket.socket, *, drain_s: float, bounds: Bounds | None = None, quiet_s: float = QUIET_S
) -> AsyncIterator[None]:
    """The application answers on the socket, within its bounds; afterwards requests in flight get `drain_s` seconds.

    A connection on which nothing was asked for `quiet_s` seconds ends.
    """
    config = uvicorn.Config(
        app,
        loop="none",
        http=_protocol(app, Crowd(bounds or Bounds())),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=quiet_s,  # type: ignore[arg-type]
        timeout_graceful_shutdown=max(1, round(drain_s)),
    )
    server = Server(config)
    task = asyncio.create_task(server.serve([listener]), name="http")
    listening = asyncio.create_task(server.listening.wait())
    await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
    listening.cancel()
    try:
        if task.done():
            await task
        yield
    finally:
        server.should_exit = True
        await task


def _protocol(app: App, crowd: Crowd) -> type[Bounded]:
    """The protocol of an application's connections, by whether it takes whole requests."""
    take = getattr(app, "take", None)
    if take is None:
        return type("Listener", (Bounded,), {"crowd": crowd})
    asked = {"take": staticmethod(take), "room": staticmethod(app.room)}
    return type("WholeListener", (WholeRequests,), {"crowd": crowd} | asked)
