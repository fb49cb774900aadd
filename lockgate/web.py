"""uvicorn, run by us: sockets and signals are ours, and so is the log."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from lockgate.accepting import Acceptor
from lockgate.bounded import Bounded
from lockgate.crowd import Bounds, Crowd
from lockgate.exchanges import WholeRequests
from lockgate.tally import Tally

App = Any
"""An ASGI application; uvicorn's own type for it is private."""


QUIET_S = 75.0
"""Longer than the load balancers before us keep a connection, so that they are the ones to close it."""


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals alone and says when it listens."""

    def __init__(self, config: uvicorn.Config, tally: Tally | None = None) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._tally = tally
        self._acceptor: Acceptor | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals belong to the process, not to one of its servers."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept, beside others where they share the socket."""
        if self._tally is None:
            await super().startup(sockets)
        else:
            await super().startup([])
            assert sockets, "the socket that others accept on, too"
            self._acceptor = Acceptor(sockets[0], self._protocol, self.server_state.connections, self._tally)
            self.servers = [self._acceptor]  # type: ignore[list-item]
        self.listening.set()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: also tell the others how many connections are here."""
        if self._acceptor is not None:
            self._acceptor.tell()
        return await super().on_tick(counter)

    def _protocol(self) -> Bounded:
        protocol: Bounded = self.config.http_protocol_class(  # type: ignore[call-arg, assignment]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol


@asynccontextmanager
async def serving(
    app: App,
    listener: socket.socket,
    *,
    drain_s: float,
    bounds: Bounds | None = None,
    quiet_s: float = QUIET_S,
    tally: Tally | None = None,
) -> AsyncIterator[None]:
    """The application answers on the socket, within its bounds; afterwards requests in flight get `drain_s` seconds.

    A connection on which nothing was asked for `quiet_s` seconds ends. With a tally, other processes accept on the same
    socket, and connections are spread evenly over all of them.
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
    server = Server(config, tally)
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
