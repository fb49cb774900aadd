"""uvicorn's protocol, with a bound on how long and how large the head of a request may be, and on who does not read."""

import asyncio
import socket
import struct

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lockgate.crowd import FULL, Crowd

AT_ONCE = struct.pack("ii", 1, 0)
"""As an option of a socket: closing it does not wait until what was written has been read."""
HEAD_MAX_BYTES = 65_536
"""How much may come before the headers of a request are complete."""


class Bounded(HttpToolsProtocol):
    """uvicorn's protocol, which would otherwise keep whatever comes, and whoever says or reads nothing, for ever."""

    crowd: Crowd
    _head_bytes = 0
    _in_head = True
    _in_body = False
    _head_timer: asyncio.TimerHandle | None = None
    _reader_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connects, and shall say something; 503 where there is no room."""
        super().connection_made(transport)
        if self.crowd.came(self):
            self._watch()
        else:
            transport.write(FULL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there to be cut off."""
        self._unwatch()
        self._read()
        self.crowd.left(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; 400 and the end of the connection once the unfinished headers are too large."""
        super().data_received(data)
        if not self._in_head:
            return
        if self._head_timer is None:
            self._watch()
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_MAX_BYTES and not self.transport.is_closing():
            self.send_400_response("The headers of this request are too large.")

    def on_message_begin(self) -> None:
        """Another request begins."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its headers are here."""
        self._in_head, self._in_body = False, True
        self._unwatch()
        self.crowd.works(self)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Its body is here, too."""
        self._in_body = False
        self._unwatch()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """It has been answered; what is left of a body that nobody wanted has as long as a head."""
        super().on_response_complete()
        if not self.pipeline:
            self.crowd.rests(self)
        if self._in_body:
            self._watch()

    def pause_writing(self) -> None:
        """The caller does not read as fast as it is answered."""
        super().pause_writing()
        if self._reader_timer is None:
            self._reader_timer = self.loop.call_later(self.crowd.bounds.answer_s, self.cut_off)
        self.crowd.lags(self)

    def resume_writing(self) -> None:
        """It has read."""
        self._read()
        self.crowd.reads(self)
        super().resume_writing()

    def unread_bytes(self) -> int:
        """What was written and is not read yet."""
        return self.transport.get_write_buffer_size()

    def cut_off(self) -> None:
        """The end of the connection; what lies there unread is thrown away, here and in the system."""
        if self.unread_bytes():
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            self.transport.abort()
        else:
            self.transport.close()

    def timeout_keep_alive_handler(self) -> None:
        """It has rested for too long."""
        if not self.transport.is_closing():
            self.cut_off()

    def _watch(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.crowd.bounds.head_s, self._too_slow)

    def _unwatch(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _read(self) -> None:
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None

    def _too_slow(self) -> None:
        """The end of the connection, with 408 where a request had begun; browsers connect before they have one."""
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self._head_bytes and self._in_head:
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()
