"""uvicorn's protocol, with a bound on how long and how large the head of a request may be."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 30.0
HEAD_MAX_BYTES = 65_536
"""How much may come before the headers of a request are complete."""


class BoundedHead(HttpToolsProtocol):
    """uvicorn's protocol, which would otherwise keep whatever comes, for ever, as long as the headers do not end."""

    head_s = HEAD_S
    _head_bytes = 0
    _in_head = True
    _cut_off: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connects, and shall say something."""
        super().connection_made(transport)
        self._cut_off = self.loop.call_later(self.head_s, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there to be cut off."""
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; 400 and the end of the connection once the unfinished headers are too large."""
        super().data_received(data)
        if not self._in_head:
            return
        if self._cut_off is None:
            self._cut_off = self.loop.call_later(self.head_s, self._too_slow)
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
        self._unwatch()
        super().on_headers_complete()

    def _unwatch(self) -> None:
        if self._cut_off is not None:
            self._cut_off.cancel()
            self._cut_off = None

    def _too_slow(self) -> None:
        """The end of the connection, with 408 where a request had begun; browsers connect before they have one."""
        self._cut_off = None
        if self.transport.is_closing():
            return
        if self._head_bytes:
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()
