"""Requests that came whole are handed on as they are, without a task each; everything else stays uvicorn's.

An application with a method `take` is asked first for each POST that came in one piece on a connection where nothing
else is being answered. What it does not take, or gives back, becomes an ASGI request as if nobody had asked. A larger
body comes whole, too, where the application has room for it (`room`), unless it takes its time.
"""

import asyncio
import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, ClassVar

from gateway.http.asgi import BODY
from lockgate.answering import AnswersWhole
from lockgate.bodies import ComingBody, Rest, Room
from lockgate.cycles import cycle_amid, cycle_for
from lockgate.heads import WHOLE_MAX_BYTES, KnownHead
from lockgate.whole import WholeExchange

PLAIN_TARGET = re.compile(rb"/[A-Za-z0-9/._~@-]*")
"""Paths that mean what they say: no query, and nothing that is escaped."""
LATE_S = 1.0
"""How long a large body may take before the application answers it while it comes."""
LESSONS = 8
"""So many heads in a row that were never seen again, and a connection learns no more of them."""


class WholeRequests(AnswersWhole):
    """The protocol of connections to an application that takes whole requests."""

    cycle: Any
    """What is being answered, or was last: a cycle of uvicorn's, an exchange, or None."""
    take: ClassVar[Callable[[Any], bool]]
    """Whether the application takes an exchange; a static method."""
    room: ClassVar[Callable[[Any, int], memoryview | None]]
    """Where the application wants the body of an exchange to lie that has this length; a static method."""
    _whole: bytes | None = None
    """The body of a request that may come whole, as far as it has; None where it is large, or an ASGI request."""
    _coming: Room | None = None
    """The same for a large body."""
    _late: asyncio.TimerHandle | None = None
    _known: KnownHead | None = None
    """The head that this connection sent last, if it will know it again."""
    _lessons = LESSONS
    """How often it may still learn one."""
    _messages = 0
    """How many requests have begun in this chunk."""
    _length = -1
    """What the head says of the body; -1 where it says nothing."""
    _unusual = False
    """Whether the head asks for something that uvicorn alone does."""
    _quiet_since = 0.0

    def on_message_begin(self) -> None:
        """Another request begins; its scope is made if it is needed."""
        self._in_head, self._head_bytes, self._length, self._unusual = True, 0, -1, False
        self._messages += 1
        self._parser_waits = True
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
        if not self._may_come_whole():
            self._begin_asgi()
        elif self._length > WHOLE_MAX_BYTES:
            self._begin_large()
        else:
            self._begin_whole()
            self._whole = b""

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self._coming is not None:
            self._coming.put(body)
        elif self._whole is not None:
            self._whole += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here."""
        self._parser_waits = False
        if self._coming is not None:
            self._coming = None
            self._comes_no_more()
            self.flow.resume_reading()
        elif self._whole is not None:
            self.cycle = WholeExchange(self, self._whole)
            self._whole = None
        else:
            super().on_message_complete()
            return
        self._in_body = False
        self._offer(self.cycle)

    def data_received(self, data: bytes) -> None:
        """Take what came; a small body that has not come with its head is waited for as uvicorn does."""
        rests = self._rests()
        if rests and self._known is not None and self._knows(self._known, data):
            return
        self._messages = 0
        super().data_received(data)
        if self.transport.is_closing():
            return
        if rests and self._messages == 1 and self._lessons:
            self._learn(data)
        if self._whole is not None:
            body, self._whole = self._whole, None
            self._begin_asgi()
            if body:
                super().on_body(body)
        elif self._coming is not None and self._late is None:
            self._await_rest(self._coming)

    def give_on(self, exchange: WholeExchange, begun: Any) -> None:
        """Start the application on a whole request."""
        cycle = cycle_for(self, exchange, begun)
        if self.cycle is exchange:
            self.cycle = cycle
        self._start_asgi_task(cycle, self.app)

    def on_response_complete(self) -> None:
        """Go on with what was sent meanwhile, or wait for more; one timer a connection, not one a request."""
        self.server_state.total_requests += 1
        if self.cycle.response_complete:
            self._forget()
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

    def _forget(self) -> None:
        """Keep nothing of a request that has been answered: a connection that rests may rest for long."""
        if type(self.cycle) is WholeExchange:
            self.cycle.body = b""
        else:
            self.scope = self.cycle.scope = _NOTHING

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        super().connection_lost(exc)
        if self._coming is not None:
            self._coming = None
            self._forget()
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

    def _may_come_whole(self) -> bool:
        """Whether the request could be taken whole, by its head."""
        return (
            self._length >= 0
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

    def _rests(self) -> bool:
        """Whether nothing of a request is here or being answered; the parser waits for the next one."""
        return (
            not (self._in_body or (self._in_head and self._head_bytes))
            and (self.cycle is None or self.cycle.response_complete)
            and not self.pipeline
            and not self.flow.write_paused
        )

    def _knows(self, head: KnownHead, chunk: bytes) -> bool:
        """Whether a chunk is a request with a head that is known, or begins a large one; it is then taken."""
        begins = head.read(chunk)
        if begins is None:
            return False
        self.url, (self.headers, length, at) = head.target, begins
        if length > WHOLE_MAX_BYTES:
            return self._knows_large(WholeExchange(self, b"", head), length, memoryview(chunk)[at:])
        self._lessons = LESSONS
        self._unwatch()
        self.crowd.works(self)
        self.cycle = WholeExchange(self, chunk[at:], head)
        self._offer(self.cycle)
        return True

    def _knows_large(self, exchange: WholeExchange, length: int, begin: memoryview) -> bool:
        """Whether the application wants a large body whole that begins like this."""
        room = self._room(exchange, length)
        if room is None:
            return False
        self._lessons = LESSONS
        room.put(begin)
        if room.full:
            self.on_message_complete()
        else:
            self._await_rest(room)
        return True

    def _learn(self, chunk: bytes) -> None:
        """Keep the head of a request that was this chunk, and whole, or whose large body it begins."""
        whole = type(self.cycle) is WholeExchange and not (self._in_head or self._in_body)
        if whole or self._coming is not None:
            self._lessons -= 1
            self._known = KnownHead.of(chunk, self.url, self.headers, self._length)

    def _offer(self, exchange: WholeExchange) -> None:
        """Let the application take a request, or answer it as any other."""
        if not type(self).take(exchange):
            exchange.generally()

    def _begin_whole(self) -> None:
        """Wait for the body of a request of which nothing is made before all of it is here."""
        self._in_head, self._in_body = False, True
        self._unwatch()
        self.crowd.works(self)

    def _begin_large(self) -> None:
        """Wait for a large body where the application wants it whole; else let it be read while it is answered."""
        if self._room(WholeExchange(self, b""), self._length) is None:
            self._begin_asgi()
            self.scope[BODY] = ComingBody(self, self.cycle)  # type: ignore[literal-required]
        self.flow.pause_reading()

    def _room(self, exchange: WholeExchange, length: int) -> Room | None:
        """Where a body of this length comes that the application wants whole; None where it does not."""
        memory = type(self).room(exchange, length)
        if memory is None:
            return None
        self._begin_whole()
        exchange.body, self.cycle = memory, exchange
        self._coming = Room(memory)
        return self._coming

    def _await_rest(self, room: Room) -> None:
        """Read the rest of a large body into its room, as long as that does not take its time."""
        self._late = self.loop.call_later(LATE_S, self._is_late)
        self.speak(Rest(self, room, self._comes_no_more))

    def _comes_no_more(self) -> None:
        """A large body has come, or nobody is there any more."""
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _is_late(self) -> None:
        """The application answers a request whose body takes its time, while it comes."""
        room, self._coming, self._late = self._coming, None, None
        assert room is not None
        self.listen()
        self.cycle = cycle_amid(self, self.cycle, room)
        self._start_asgi_task(self.cycle, self.app)

    def _begin_asgi(self) -> None:
        """Go on as uvicorn does, as if the request began here."""
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers.extend(headers)
        super().on_headers_complete()


_NOTHING: Any = MappingProxyType({})
"""The scope where nothing is asked; no connection can write into what all share."""
_NEEDS_ASGI = frozenset({b"expect", b"transfer-encoding", b"upgrade"})
