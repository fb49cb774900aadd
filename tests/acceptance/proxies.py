"""A real proxy that does what meshes and load balancers do by default: it sends a request again when it was 503."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

TRIES = 4


class RetryingProxy:
    """Passes one request a connection on, and again up to three times while the answer is 503."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.forwarded = 0
        self._upstream = port

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            request = await _message(reader)
            for _ in range(TRIES):
                self.forwarded += 1
                response = await self._ask(request)
                if not response.startswith(b"HTTP/1.1 503"):
                    break
            writer.write(response)
            await writer.drain()
        writer.close()

    async def _ask(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        writer.write(request)
        await writer.drain()
        response = await _message(reader)
        writer.close()
        return response


async def _message(reader: asyncio.StreamReader) -> bytes:
    """A whole request or response that states its length."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    length = next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), 0)
    return head + await reader.readexactly(length)


@asynccontextmanager
async def retrying_proxy(port: int) -> AsyncIterator[RetryingProxy]:
    """A proxy in front of that port of the loopback."""
    proxy = RetryingProxy(port)
    server = await asyncio.start_server(proxy.answer, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await server.wait_closed()
