"""Requests that came whole are offered to the application, and whatever it leaves is an ordinary ASGI request."""

import asyncio
import gc
import socket
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from gateway.http.asgi import BEGUN, BODY
from lockgate import exchanges
from lockgate.web import serving
from lockgate.whole import WholeExchange

HEAD = b"POST /v2/models/m/infer HTTP/1.1\r\nHost: here\r\n"
WHOLE = HEAD + b"Content-Length: 4\r\n\r\nbody"


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both loops: they read into a protocol's own memory in different ways."""
    return "asyncio", {"use_uvloop": request.param}


class App:
    """Takes what comes whole, or not, and says how each request came to it."""

    def __init__(self) -> None:
        self.taken: list[WholeExchange] = []
        self.came: list[tuple[dict[str, Any], bytes]] = []
        self.came_whole = asyncio.Event()
        self.takes = True
        self.answers = True
        self.much = b""
        self.has_room = False
        self.reads = True
        self.patience_s = 60.0
        self.asked_for_room = asyncio.Event()
        self.came_in_part = asyncio.Event()

    def room(self, _exchange: WholeExchange, size: int) -> memoryview | None:
        """Where a large body shall lie, if it is to be taken whole."""
        self.asked_for_room.set()
        return memoryview(bytearray(size)) if self.has_room else None

    def take(self, exchange: WholeExchange) -> bool:
        """Keep it, and answer it at once where it is to be."""
        if not self.takes:
            return False
        self.taken.append(exchange)
        self.came_whole.set()
        if self.answers:
            exchange.answer(self.much or b"whole:" + exchange.body)  # type: ignore[operator]
        return True

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer with the body."""
        self.came_in_part.set()
        body = b""
        if BODY in scope and self.reads:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.patience_s):
                    body = await scope[BODY].read(lambda: memoryview(bytearray(_length(scope)))) or b"left"
        more = self.reads and BODY not in scope
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.came.append((scope, bytes(body)))
        said = self.much or b"asgi:" + body
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]}
        )  # fmt: skip
        await send({"type": "http.response.body", "body": said})


def _length(scope: dict[str, Any]) -> int:
    return int(dict(scope["headers"])[b"content-length"])


class Caller:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self) -> tuple[bytes, bytes]:
        """The head and the body of the next answer."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return head, await self.reader.readexactly(int(length))

    async def says(self, *pieces: bytes) -> bytes:
        """What is answered to a request in pieces, each of which has arrived before the next one leaves."""
        for piece in pieces[:-1]:
            self.writer.write(piece)
            await asyncio.sleep(0.05)
        self.writer.write(pieces[-1])
        return (await self.answer())[1]


@asynccontextmanager
async def calling(app: App, **settings: float) -> AsyncIterator[Caller]:
    """A connection to a server of this application."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with serving(app, listener, drain_s=5, **settings):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            try:
                yield Caller(reader, writer)
            finally:
                writer.close()


async def until_true(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what holds is told by nobody
            await asyncio.sleep(0.01)


ASGI = {
    "a body in pieces": (HEAD + b"Content-Length: 4\r\n\r\nbo", b"dy"),
    "a head before its body": (HEAD + b"Content-Length: 4\r\n\r\n", b"body"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",),
    "another method": (WHOLE.replace(b"POST", b"PUT"),),
    "an older protocol": (WHOLE.replace(b"HTTP/1.1", b"HTTP/1.0"),),
    "a connection that ends": (HEAD + b"Connection: close\r\nContent-Length: 4\r\n\r\nbody",),
    "a query": (WHOLE.replace(b"infer ", b"infer?a=b "),),
    "an escaped path": (WHOLE.replace(b"/m/", b"/%6d/"),),
}


async def test_what_comes_whole_is_taken_and_answered_on_the_same_connection() -> None:
    """One after the other, in one piece or with the head in two, each with its own length and a date."""
    app = App()
    async with calling(app) as caller:
        assert await caller.says(WHOLE) == b"whole:body"
        assert await caller.says(WHOLE[:20], WHOLE[20:]) == b"whole:body"
        caller.writer.write(WHOLE)
        head, _ = await caller.answer()
    assert b"date: " in head
    assert b"content-type: application/json\r\n" in head
    assert [exchange.target for exchange in app.taken] == [b"/v2/models/m/infer"] * 3
    assert dict(app.taken[0].headers)[b"content-length"] == b"4"
    assert not app.came


UPLOAD = HEAD + b"Content-Length: 100000\r\n\r\n" + b"x" * 100_000


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[], memoryview | None]]]:
    """Where large bodies lie, for as long as somebody keeps them: cycles of references are not collected meanwhile."""
    made: list[Callable[[], memoryview | None]] = []

    def room(_app: App, _exchange: WholeExchange, size: int) -> memoryview:
        memory = memoryview(bytearray(size))
        made.append(weakref.ref(memory))
        return memory

    monkeypatch.setattr(App, "room", room)
    gc.disable()
    yield made
    gc.enable()


@pytest.mark.parametrize("takes", [True, False])
async def test_a_connection_that_rests_keeps_no_body(rooms: list[Callable[[], memoryview | None]], takes: bool) -> None:
    """Neither what was taken whole nor what became an ordinary request; there may be thousands of such connections."""
    app = App()
    app.takes = takes
    async with calling(app) as caller:
        assert (await caller.says(UPLOAD)).endswith(b"xxx")
        app.came.clear()
        await until_true(lambda: rooms[0]() is None)
        assert await caller.says(WHOLE)


@pytest.mark.parametrize("sent", [UPLOAD, UPLOAD[:-1]], ids=["while it is answered", "while it comes"])
async def test_a_connection_that_ends_leaves_no_body_behind(
    rooms: list[Callable[[], memoryview | None]], sent: bytes
) -> None:
    """Not even until somebody looks for what nobody needs any more."""
    app = App()
    app.answers = False
    async with calling(app) as caller:
        caller.writer.write(sent)
        await until_true(lambda: bool(app.taken) if sent is UPLOAD else bool(rooms))
        caller.writer.close()
        await caller.writer.wait_closed()
        if app.taken:
            await until_true(lambda: app.taken[0].disconnected)
            app.taken.pop().answer(b"late")
        await until_true(lambda: rooms[0]() is None)


async def test_a_head_that_is_sent_again_is_known() -> None:
    """With bodies of other lengths, too; what is not taken of it becomes an ordinary request with its own headers."""
    app = App()
    longer = HEAD + b"Content-Length: 6\r\n\r\nlonger"
    async with calling(app) as caller:
        for sent, told in ((WHOLE, b"body"), (WHOLE, b"body"), (longer, b"longer"), (WHOLE, b"body")):
            assert await caller.says(sent) == b"whole:" + told
        app.takes = False
        assert await caller.says(longer) == b"asgi:longer"
    first, *again = app.taken
    assert first.head is None
    assert len({id(exchange.head) for exchange in again} - {id(None)}) == 1
    assert [dict(exchange.headers)[b"content-length"] for exchange in again] == [b"4", b"6", b"4"]
    assert {exchange.target for exchange in app.taken} == {b"/v2/models/m/infer"}
    (scope, body), *none = app.came
    assert not none
    assert body == b"longer"
    assert dict(scope["headers"]) == {b"host": b"here", b"content-length": b"6"}


@pytest.mark.parametrize("pieces", ASGI.values(), ids=ASGI)
async def test_a_known_head_changes_nothing_for_what_else_comes(pieces: tuple[bytes, ...]) -> None:
    """In pieces, sent ahead, or with another head: all of it is answered, in its order, and the head is still known."""
    app = App()
    async with calling(app) as caller:
        for _ in range(2):
            assert await caller.says(WHOLE) == b"whole:body"
        assert await caller.says(*pieces) == b"asgi:body"
        if b"close" not in pieces[0] and b"1.0" not in pieces[0]:
            assert await caller.says(WHOLE) == b"whole:body"
            app.answers = False
            caller.writer.write(WHOLE + WHOLE.replace(b"body", b"next"))
            await until_true(lambda: len(app.taken) == 4)
            caller.writer.write(WHOLE.replace(b"body", b"last"))
            await asyncio.sleep(0.05)
            assert len(app.taken) == 4
            app.answers = True
            app.taken[-1].answer(b"first")
            assert [(await caller.answer())[1] for _ in range(2)] == [b"first", b"asgi:next"]
            assert (await caller.answer())[1] in {b"asgi:last", b"whole:last"}  # as it comes before that answer or not


async def test_heads_that_never_come_again_are_not_learnt_for_ever() -> None:
    """A client that names each request in its head is answered as ever."""
    app = App()
    async with calling(app) as caller:
        for number in range(2 * exchanges.LESSONS):
            named = WHOLE.replace(b"here\r\n", b"here\r\ntraceparent: %d\r\n" % number)
            assert await caller.says(named) == b"whole:body"
        assert await caller.says(WHOLE) == await caller.says(WHOLE) == b"whole:body"
    assert all(exchange.head is None for exchange in app.taken)


@pytest.mark.parametrize("pieces", ASGI.values(), ids=ASGI)
async def test_what_does_not_come_whole_is_an_ordinary_request(pieces: tuple[bytes, ...]) -> None:
    """The application is not asked, and gets all of the body."""
    app = App()
    async with calling(app) as caller:
        assert await caller.says(*pieces) == b"asgi:body"
    assert not app.taken


async def test_whoever_expects_to_be_told_to_go_on_is_told() -> None:
    """`Expect: 100-continue` is left to uvicorn."""
    app = App()
    async with calling(app) as caller:
        caller.writer.write(HEAD + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert (await caller.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        assert await caller.says(b"body") == b"asgi:body"


async def test_what_is_not_taken_or_given_back_becomes_an_ordinary_request() -> None:
    """With the same body, headers and path, and with what was drawn for it."""
    app = App()
    async with calling(app) as caller:
        app.takes = False
        assert await caller.says(WHOLE) == b"asgi:body"
        app.takes, app.answers = True, False
        caller.writer.write(WHOLE)
        await app.came_whole.wait()
        app.taken[0].generally("begun")
        assert (await caller.answer())[1] == b"asgi:body"
        app.taken[0].answer(b"a second time")
        app.answers = True
        assert await caller.says(WHOLE) == b"whole:body"
    (first, _), (second, _) = app.came
    assert first["path"] == second["path"] == "/v2/models/m/infer"
    assert (b"host", b"here") in second["headers"]
    assert (first[BEGUN], second[BEGUN]) == (None, "begun")


async def test_requests_sent_ahead_are_answered_in_their_order() -> None:
    """Three at once: the first is taken, the others wait until it has been answered."""
    app = App()
    app.answers = False
    async with calling(app) as caller:
        caller.writer.write(WHOLE + WHOLE.replace(b"body", b"next") + WHOLE.replace(b"body", b"last"))
        await app.came_whole.wait()
        await asyncio.sleep(0.05)
        assert len(app.taken) == 1
        assert not app.came
        app.taken[0].answer(b"first")
        assert [(await caller.answer())[1] for _ in range(3)] == [b"first", b"asgi:next", b"asgi:last"]


async def test_a_first_request_that_is_given_back_keeps_its_place_before_those_sent_ahead() -> None:
    """The order of answers is that of the requests, whichever way each takes."""
    app = App()
    app.answers = False
    async with calling(app) as caller:
        caller.writer.write(WHOLE + WHOLE.replace(b"body", b"next"))
        await app.came_whole.wait()
        app.taken[0].generally()
        assert [(await caller.answer())[1] for _ in range(2)] == [b"asgi:body", b"asgi:next"]


async def test_who_hangs_up_before_the_answer_harms_nobody() -> None:
    """The answer goes nowhere, and the next connection is served."""
    app = App()
    app.answers = False
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with serving(app, listener, drain_s=5):
            for end in (WholeExchange.answer, WholeExchange.generally):
                _, writer = await asyncio.open_connection(*listener.getsockname())
                writer.write(WHOLE)
                await app.came_whole.wait()
                app.came_whole.clear()
                writer.transport.abort()
                await until_true(lambda: app.taken[0].disconnected)
                (end)(app.taken.pop(), b"" if end is WholeExchange.answer else None)  # type: ignore[arg-type, operator]


async def test_a_server_that_ends_answers_what_it_has_taken() -> None:
    """The answer says that the connection ends with it."""
    app = App()
    app.answers = False
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with serving(app, listener, drain_s=5):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            caller = Caller(reader, writer)
            writer.write(WHOLE)
            await app.came_whole.wait()
            asyncio.get_running_loop().call_later(0.3, app.taken[0].answer, b"late")
        head, said = await caller.answer()
        assert said == b"late"
        assert b"connection: close" in head
        assert await reader.read() == b""
        writer.close()


async def test_a_quiet_connection_is_closed_and_a_busy_one_is_not() -> None:
    """The time counts from the last answer."""
    app = App()
    async with calling(app, quiet_s=0.5) as caller:
        for _ in range(4):
            assert await caller.says(WHOLE) == b"whole:body"
            await asyncio.sleep(0.2)
        assert await asyncio.wait_for(caller.reader.read(), 5) == b""


async def test_who_does_not_read_is_not_answered_for_ever() -> None:
    """Of two thousand requests sent ahead only so many are answered as the system has room for."""
    app = App()
    app.much = b"x" * 262_144
    async with calling(app) as caller:
        for _ in range(2000):
            caller.writer.write(WHOLE)
        before = -1
        while before != (before := len(app.taken) + len(app.came)):  # noqa: ASYNC110 - that nothing happens is told by nobody
            await asyncio.sleep(0.3)
        assert before < 400


LARGE = bytes(range(256)) * 1024
SENT = HEAD + b"Content-Length: 262144\r\n\r\n" + LARGE
IN_PIECES = (SENT[:30], SENT[30:90], SENT[90:70_000], SENT[70_000:])


@pytest.mark.parametrize("has_room", [True, False])
async def test_a_large_body_is_read_whole_however_it_comes(has_room: bool) -> None:
    """In one piece or several, with the next requests right behind it, whether it is taken or asked for.

    What is right behind it is taken where the answer left before it came.
    """
    app = App()
    app.has_room = has_room
    said = (b"whole:" if has_room else b"asgi:") + LARGE
    async with calling(app) as caller:
        assert await caller.says(SENT) == said
        assert await caller.says(*IN_PIECES) == said
        assert await caller.says(SENT + WHOLE) == said
        assert (await caller.answer())[1] in (b"whole:body", b"asgi:body")
        assert await caller.says(SENT + SENT[:20_000], SENT[20_000:]) == said
        assert (await caller.answer())[1] in (b"whole:" + LARGE, b"asgi:" + LARGE)
        assert await caller.says(WHOLE) == b"whole:body"


async def test_a_large_body_that_is_given_back_lies_where_it_came() -> None:
    """The application finds it in the request's scope."""
    app = App()
    app.has_room = True
    async with calling(app) as caller:
        app.takes = False
        assert await caller.says(SENT) == b"asgi:" + LARGE
        app.takes, app.answers = True, False
        caller.writer.write(SENT + WHOLE)
        await app.came_whole.wait()
        app.taken[0].generally()
        app.answers = True
        assert (await caller.answer())[1] == b"asgi:" + LARGE
        assert (await caller.answer())[1] == b"asgi:body"


async def test_a_large_body_that_takes_its_time_is_answered_while_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has come of it is kept; the connection goes on where all of it is read, and ends where it is not."""
    monkeypatch.setattr(exchanges, "LATE_S", 0.1)
    app = App()
    app.has_room = True
    async with calling(app) as caller:
        caller.writer.write(SENT[:100_000])
        await app.came_in_part.wait()
        assert await caller.says(SENT[100_000:]) == b"asgi:" + LARGE
        assert not app.taken
        assert await caller.says(WHOLE) == b"whole:body"
        app.reads = False
        caller.writer.write(SENT[:100_000])
        head, said = await caller.answer()
        assert said == b"asgi:"
        assert b"connection: close" in head
        caller.writer.write(WHOLE)
        with suppress(ConnectionError):
            assert await caller.reader.read() == b""


async def test_the_head_of_a_large_body_is_known_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, in pieces, without its body at first, late, among small ones, and where there is no room: as the first."""
    app = App()
    app.has_room = True
    head_bytes = len(SENT) - len(LARGE)
    async with calling(app) as caller:
        for cuts in ((), (), (100_000,), (head_bytes,), (head_bytes + 1, 100_000)):
            pieces = [SENT[a:b] for a, b in zip((0, *cuts), (*cuts, None), strict=True)]
            assert await caller.says(*pieces) == b"whole:" + LARGE
            assert await caller.says(WHOLE) == b"whole:body"
        first, *again = app.taken
        assert first.head is None
        assert len({id(exchange.head) for exchange in again}) == 1
        assert {exchange.target for exchange in again} == {first.target}
        assert dict(again[1].headers) == dict(first.headers)
        app.takes = False
        assert await caller.says(SENT) == b"asgi:" + LARGE
        app.takes, app.has_room = True, False
        assert await caller.says(SENT) == b"asgi:" + LARGE
        app.has_room = True
        assert await caller.says(WHOLE) == b"whole:body"
        app.came_in_part.clear()
        monkeypatch.setattr(exchanges, "LATE_S", 0.1)
        caller.writer.write(SENT[:100_000])
        await app.came_in_part.wait()
        assert await caller.says(SENT[100_000:]) == b"asgi:" + LARGE
        assert await caller.says(WHOLE) == b"whole:body"
    scopes = [scope for scope, _ in app.came]
    assert len(scopes) == 3
    for scope in scopes:
        assert (scope["method"], scope["path"], dict(scope["headers"])) == (
            "POST",
            first.target.decode(),
            dict(first.headers),
        )


async def test_a_large_body_that_nobody_reads_is_passed_by() -> None:
    """As with any other request: the next one on the connection is answered."""
    app = App()
    app.reads = False
    async with calling(app) as caller:
        assert await caller.says(SENT) == b"asgi:"
        assert await caller.says(WHOLE) == b"whole:body"
        assert await caller.says(SENT[:70_000]) == b"asgi:"
        assert await caller.says(SENT[70_000:] + WHOLE) == b"whole:body"


async def test_whoever_gives_up_on_a_large_body_ends_the_connection() -> None:
    """Nobody could tell the rest of the body from another request."""
    app = App()
    app.patience_s = 0.2
    async with calling(app) as caller:
        caller.writer.write(SENT[:100_000])
        head, said = await caller.answer()
        assert said == b"asgi:"
        assert b"connection: close" in head
        with suppress(ConnectionError):
            assert await caller.reader.read() == b""


@pytest.mark.parametrize("has_room", [True, False])
async def test_who_hangs_up_amid_a_large_body_harms_nobody(has_room: bool) -> None:
    """What came of it is taken by nobody, and the next connection is served."""
    app = App()
    app.has_room = has_room
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with serving(app, listener, drain_s=5):
            for end in ("eof", "abort"):
                reader, writer = await asyncio.open_connection(*listener.getsockname())
                writer.write(SENT[:100_000])
                await app.asked_for_room.wait()
                app.asked_for_room.clear()
                if end == "eof":
                    writer.write_eof()
                    assert await reader.read() == b""
                writer.transport.abort()
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            assert await Caller(reader, writer).says(WHOLE) == b"whole:body"
            writer.close()
    assert len(app.taken) == 1
    assert all(body == b"left" for _, body in app.came)


async def test_a_server_that_ends_waits_for_a_large_body_and_answers_it() -> None:
    """The answer says that the connection ends with it."""
    app = App()
    app.has_room = True
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with serving(app, listener, drain_s=5):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            caller = Caller(reader, writer)
            writer.write(SENT[:100_000])
            await app.asked_for_room.wait()
            asyncio.get_running_loop().call_later(0.3, writer.write, SENT[100_000:])
        head, said = await caller.answer()
        assert said == b"whole:" + LARGE
        assert b"connection: close" in head
        writer.close()
