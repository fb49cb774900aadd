"""Requests that came whole are handed on as they are, without a task each; everything else stays uvicorn's.

An application with a method `take` is asked first for each POST that came in one piece on a connection where nothing
else is being answered. What it does not take, or gives back, becomes an ASGI request as if nobody had asked.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from gateway.http.asgi import DRAWS, header_lines
from gateway.reply import Reply
from lockgate.bounded import Bounded

PLAIN_TARGET = re.compile(rb"/[A-Za-z0-9/._~@-]*")
"""Paths that mean what they say: no query, and nothing that is escaped."""


class WholeExchange:
    """A request that came whole. On its connection it stands for uvicorn's cycle, as far as that is asked."""

    __slots__ = ("_by", "body", "disconnected", "headers", "keep_alive", "message_event", "response_complete", "target")

    def __init__(self, by: "WholeRequests", body: bytes) -> None:
        self.target = by.url
        self.headers = by.headers
        self.body = body
        self.keep_alive = True
        self.response_complete = False
        self.disconnected = False
        self.message_event = _NOBODY_LISTENS
        self._by = by

    def answer(self, body: bytes) -> None:
        """Write 200 with this JSON."""
        if not self.response_complete:
            self.response_complete = True
            self._by.answered(self._by.answer_head(), body, keep_alive=self.keep_alive)

    def refuse(self, reply: Reply) -> None:
        """Write this refusal, as the application would."""
        if not self.response_complete:
            self.response_complete = True
            self._by.answered(self._by.head_of(reply), reply.body, keep_alive=self.keep_alive)

    def generally(self, draws: tuple[float, ...] = ()) -> None:
        """Let the application answer it as any other request; what was drawn for its items is not drawn again."""
        if not self.response_complete:
            self.response_complete = True
            self._by.give_on(self, draws)


class _Nobody:
    """An event for which nobody waits."""

    def set(self) -> None:
        """Nothing happens."""


_NOBODY_LISTENS: Any = _Nobody()


class WholeRequests(Bounded):
    """The protocol of connections to an application that takes whole requests."""

    cycle: Any
    """What is being answered, or was last: a cycle of uvicorn's, an exchange, or None."""
    take: ClassVar[Callable[[Any], bool]]
    """Whether the application takes an exchange; a static method."""
    _whole: bytes | None = None
    """The body of a request that may come whole, as far as it has; None where it is an ASGI request."""
    _length = -1
    """What the head says of the body; -1 where it says nothing."""
    _unusual = False
    """Whether the head asks for something that uvicorn alone does."""
    _quiet_since = 0.0
    _date_headers: list[tuple[bytes, bytes]] | None = None
    _head = b""

    def on_message_begin(self) -> None:
        """Another request begins; its scope is made if it is needed."""
        self._in_head, self._head_bytes, self._length, self._unusual = True, 0, -1, False
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        name = name.lower()
        if name == b"content-length" and value.isdigit():
            self._length = int(value)
        elif name in _NEEDS_ASGI:
            self._unusual = True
            self.expect_100_continue |= name == b"expect" and value.lower() == b"100-continue"
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The headers are here."""
        if self._may_come_whole():
            self._in_head, self._in_body = False, True
            self._unwatch()
            self.crowd.works(self)
            self._whole = b""
        else:
            self._begin_asgi()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self._whole is None:
            super().on_body(body)
        else:
            self._whole += body

    def on_message_complete(self) -> None:
        """The request is here."""
        body, self._whole = self._whole, None
        if body is None:
            super().on_message_complete()
            return
        self._in_body = False
        exchange = WholeExchange(self, body)
        self.cycle = exchange
        if not type(self).take(exchange):
            exchange.generally()

    def data_received(self, data: bytes) -> None:
        """Take what came; a body that has not come with its head is waited for as uvicorn does."""
        super().data_received(data)
        if self._whole is not None and self.parser is not None:
            body, self._whole = self._whole, None
            self._begin_asgi()
            if body:
                super().on_body(body)

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

    def give_on(self, exchange: WholeExchange, draws: tuple[float, ...]) -> None:
        """Start the application on a whole request."""
        cycle = self._cycle(exchange, draws)
        if self.cycle is exchange:
            self.cycle = cycle
        self._start_asgi_task(cycle, self.app)

    def on_response_complete(self) -> None:
        """Go on with what was sent meanwhile, or wait for more; one timer a connection, not one a request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
            return
        self.crowd.rests(self)
        if self._in_body:
            self._watch()
        self._quiet_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self._look_if_quiet)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def _unset_keepalive_if_required(self) -> None:
        """The timer stays: when it rings, it looks whether the connection has been quiet for so long."""

    def _look_if_quiet(self) -> None:
        self.timeout_keep_alive_task = None
        if not self.cycle.response_complete:
            return  # on_response_complete winds the timer up again
        left = self._quiet_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left, self._look_if_quiet)
        else:
            self.timeout_keep_alive_handler()

    def _head_of(self, status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
        lines = [name + b": " + value + b"\r\n" for name, value in (*self.server_state.default_headers, *headers)]
        return b"".join((STATUS_LINE[status], *lines, b"content-length: "))

    def _may_come_whole(self) -> bool:
        """Whether the request could be taken whole, by its head."""
        return (
            0 <= self._length <= WHOLE_MAX_BYTES
            and not self._unusual
            and not self.flow.write_paused  # whoever does not read is not answered more before it does
            and (self.cycle is None or self.cycle.response_complete)
            and not self.pipeline
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            and PLAIN_TARGET.fullmatch(self.url) is not None
        )

    def _begin_asgi(self) -> None:
        """Go on as uvicorn does, as if the request began here."""
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers.extend(headers)
        super().on_headers_complete()

    def _cycle(self, exchange: WholeExchange, draws: tuple[float, ...]) -> RequestResponseCycle:
        """uvicorn's cycle for a request that is whole already."""
        path = exchange.target.decode("ascii")
        scope: Any = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": "1.1",
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": "POST",
            "root_path": self.root_path,
            "path": self.root_path + path,
            "raw_path": self.root_path.encode("ascii") + exchange.target,
            "query_string": b"",
            "headers": exchange.headers,
            "state": self.app_state.copy(),
            DRAWS: draws,
        }
        cycle = RequestResponseCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=exchange.keep_alive,
            on_response=self.on_response_complete,
        )
        cycle.body += exchange.body
        cycle.more_body = False
        cycle.disconnected = exchange.disconnected
        cycle.message_event.set()
        return cycle


WHOLE_MAX_BYTES = 65_536
"""What is longer is no small request."""
_NEEDS_ASGI = frozenset({b"expect", b"transfer-encoding", b"upgrade"})
