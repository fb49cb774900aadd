"""Large bodies that are read straight into the room that an application has for them.

On its way through ASGI each piece of a body is copied several times, and wakes the application once. A body whose
length is declared can do without: the application finds it in its scope and asks for it to be read into its own memory.
Whoever does not ask gets pieces as ever.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import httptools

from lockgate.bounded import Bounded


class Room:
    """Memory for a body, and how much of it has come."""

    __slots__ = ("came", "memory")

    def __init__(self, memory: memoryview) -> None:
        self.memory = memory
        self.came = 0

    @property
    def full(self) -> bool:
        """Whether all of the body is here."""
        return self.came == len(self.memory)

    def put(self, piece: bytes | bytearray | memoryview) -> None:
        """Some has come another way."""
        self.memory[self.came : self.came + len(piece)] = piece
        self.came += len(piece)


class Rest(asyncio.BufferedProtocol):
    """What a connection speaks while the rest of a body comes; everything but reading is still its own protocol's."""

    def __init__(self, by: "ReadsStraight", room: Room, ended: Callable[[], None]) -> None:
        self._by = by
        self._room = room
        self._ended = ended
        """Called once nothing more comes."""

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the body knows better
        """Where the next bytes go: never more than the body has."""
        return self._room.memory[self._room.came :]

    def buffer_updated(self, nbytes: int) -> None:
        """Some have come."""
        self._room.came += nbytes
        if self._room.full:
            self._by.body_is_here()
            self._ended()

    def eof_received(self) -> bool | None:
        """Nothing more comes."""
        self._by.eof_received()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._by.connection_lost(exc)
        self._ended()

    def pause_writing(self) -> None:
        """The caller does not read as fast as it is answered."""
        self._by.pause_writing()

    def resume_writing(self) -> None:
        """It has read."""
        self._by.resume_writing()


class ReadsStraight(Bounded):
    """A protocol that can let the rest of a body be read beside its parser."""

    _parser_waits = False
    """Whether the parser has seen how a request begins, and not how it ends."""

    def speak(self, rest: Rest) -> None:
        """Let what comes next go straight to where it shall lie."""
        self.flow.pause_reading()
        self.transport.set_protocol(rest)
        self.flow.resume_reading()

    def listen(self) -> None:
        """Take what comes next here again, once somebody asks for it."""
        self.flow.pause_reading()
        if not self.transport.is_closing():
            self.transport.set_protocol(self)

    def body_is_here(self) -> None:
        """All of the body has come; a parser that saw the beginning begins anew with the next request."""
        if self._parser_waits:
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self.listen()
        self.flow.resume_reading()
        self.on_message_complete()


class ComingBody:
    """The body of a request that the application answers while it comes; it can be read once."""

    def __init__(self, by: ReadsStraight, cycle: Any, room: Room | None = None) -> None:
        self._by = by
        self._cycle = cycle
        self._room = room
        self._keep_alive = cycle.keep_alive
        if room is not None:
            cycle.keep_alive = False

    async def read(self, make_room: Callable[[], memoryview]) -> memoryview | None:
        """All of it, in the room that is made for it; None where the connection ends before.

        Unless all of it is read, the connection ends with the answer: nobody knows what comes on it next.
        """
        room = self._room or Room(make_room())
        room.put(self._cycle.body)
        self._cycle.body = bytearray()
        if not room.full and not self._cycle.disconnected:
            self._cycle.keep_alive = False
            ended = asyncio.Event()
            self._by.speak(Rest(self._by, room, ended.set))
            try:
                await ended.wait()
            finally:
                if not room.full:
                    self._by.listen()
        if not room.full:
            return None
        self._cycle.keep_alive = self._keep_alive
        return room.memory


class CompleteBody:
    """The body of a request that came whole."""

    def __init__(self, body: memoryview) -> None:
        self._body = body

    async def read(self, _make_room: Callable[[], memoryview]) -> memoryview | None:
        """All of it, where it lies."""
        return self._body
