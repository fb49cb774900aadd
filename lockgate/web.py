"""uvicorn, run by us: sockets and signals are ours, and so is the log."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

App = Any
"""An ASGI application; uvicorn's own type for it is private."""


HEAD_MAX_BYTES = 65_536
"""How much may come before the headers of a request are complete."""


class BoundedHead(HttpToolsProtocol):
    """uvicorn's protocol, which would otherwise keep whatever comes as long as the headers do not end."""

    _head_bytes = 0
    _in_head = True

    def data_received(self, data: bytes) -> None:
        """Take what came; 400 and the end of the connection once the unfinished headers are too large."""
        super().data_received(data)
        if not self._in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_MAX_BYTES and not self.transport.is_closing():
            self.send_400_response("The headers of this request are too large.")

    def on_message_begin(self) -> None:
        """Another request begins."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its headers are here."""
        self._in_head = False
        super().on_headers_complete()


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
async def serving(app: App, listener: socket.socket, *, drain_s: float) -> AsyncIterator[None]:
    """The application answers on the socket; afterwards requests in flight get `drain_s` seconds to finish."""
    config = uvicorn.Config(
        app,
        loop="none",
        http=BoundedHead,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
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
