"""Answers that are written whole, without an ASGI message for each part; in the bytes that uvicorn would write."""

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gateway.http.asgi import header_lines
from gateway.reply import Reply
from lockgate.bodies import ReadsStraight


class AnswersWhole(ReadsStraight):
    """A protocol that can write a whole answer at once."""

    _date_headers: list[tuple[bytes, bytes]] | None = None
    _head = b""

    def answered(self, head: bytes, body: bytes, *, keep_alive: bool) -> None:
        """Write an answer, whose head ends before its length, and be ready for the next request."""
        transport = self.transport
        if not transport.is_closing():
            end = b"\r\n\r\n" if keep_alive else b"\r\nconnection: close\r\n\r\n"
            transport.write(b"".join((head, b"%d" % len(body), end, body)))
            if not keep_alive:
                transport.close()
        self.on_response_complete()

    def answer_head(self) -> bytes:
        """The head of an answer up to its length; uvicorn makes the date anew each second."""
        headers = self.server_state.default_headers
        if headers is not self._date_headers:
            self._date_headers = headers
            self._head = self._head_of(200, [(b"content-type", b"application/json")])
        return self._head

    def head_of(self, reply: Reply) -> bytes:
        """The head of another reply up to its length, as uvicorn writes it."""
        return self._head_of(reply.status, header_lines(reply))

    def _head_of(self, status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
        lines = [name + b": " + value + b"\r\n" for name, value in (*self.server_state.default_headers, *headers)]
        return b"".join((STATUS_LINE[status], *lines, b"content-length: "))
