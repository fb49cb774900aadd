"""What is said when a server does not do what it is asked to: each kind of trouble, from servers that make it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from flags.errors import FlagsError
from flags.unleash.admin import opened_admin
from flags.unleash.admin_errors import AdminTokenRefused, UnleashAway, UnleashRefused, UnleashSilent, UnleashUnexpected
from flags.unleash.place import Place
from tests.servers.process import free_port

SILENT_S = 0.3
WRONG = '{"name":"BadDataError","message":"Long and general.","details":[{"message":"Too short."},{"message":"No."}]}'


class Somebody:
    """Somebody who listens where an Unleash server should, until told that it is over."""

    def __init__(self, serve: "Serve") -> None:
        self.over = asyncio.Event()
        self._serve = serve
        self._serving: set[asyncio.Task[None]] = set()

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        self._serving.add(asyncio.create_task(self._to_its_end(reader, writer)))

    async def _to_its_end(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._serve(self, reader, writer)
        with suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()

    async def end(self) -> None:
        """Let every connection come to its end."""
        self.over.set()
        await asyncio.gather(*self._serving)


Serve = Callable[[Somebody, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def somebody(serve: Serve) -> AsyncIterator[Place]:
    """The place of somebody who serves so."""
    there = Somebody(serve)
    server = await asyncio.start_server(there.connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield Place(url=f"http://127.0.0.1:{port}", project="p", environment="e", admin_token="t")
        await there.end()


def answering(status: str, body: str, *more: str) -> Serve:
    """Somebody who answers everything alike."""

    async def serve(_: Somebody, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = (f"HTTP/1.1 {status}", f"content-length: {len(body)}", "content-type: application/json", *more, "", body)
        writer.write("\r\n".join(head).encode())
        await writer.drain()

    return serve


async def silent(there: Somebody, _: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Somebody who takes a request and says nothing."""
    await there.over.wait()


async def trickling(there: Somebody, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Somebody whose answer never ends, a byte now and then."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while not there.over.is_set():
        writer.write(b" ")
        await writer.drain()
        with suppress(TimeoutError):
            await asyncio.wait_for(there.over.wait(), SILENT_S / 10)


@pytest.mark.parametrize(
    ("word", "serve", "kind", "said"),
    [
        ("silent", silent, UnleashSilent, "did not answer within 0.3 s"),
        ("trickling", trickling, UnleashSilent, "did not answer within 0.3 s"),
        ("wrong token", answering("401 Unauthorized", WRONG), AdminTokenRefused, "refuses unleash_admin_token"),
        ("client token", answering("403 Forbidden", "{}"), AdminTokenRefused, "no admin token"),
        ("refused", answering("400 Bad Request", WRONG), UnleashRefused, "refused to create 'f': Too short. No."),
        ("refused bare", answering("409 Conflict", '{"message":"Taken"}'), UnleashRefused, "create 'f': Taken."),
        ("fault", answering("500 Oops", WRONG), UnleashUnexpected, "(status 500)"),
        ("no API", answering("404 Not Found", "<html>"), UnleashUnexpected, "(status 404)"),
        ("elsewhere", answering("302 Found", "", "location: /login"), UnleashUnexpected, "(status 302)"),
    ],
)
async def test_each_trouble_is_told_apart(word: str, serve: Serve, kind: type[FlagsError], said: str) -> None:
    """What Unleash says of a refusal is carried; of a fault of its own only the status is."""
    async with somebody(serve) as place, opened_admin(place, call_s=SILENT_S) as admin:
        with pytest.raises(kind) as told:
            await admin.create("f", kind="release", description="")
    assert said in str(told.value)
    assert "Long and general" not in str(told.value)


async def test_nobody_is_told_as_nobody() -> None:
    """Where nobody listens the server cannot be reached."""
    place = Place(url=f"http://127.0.0.1:{free_port()}", project="p", environment="e")
    async with opened_admin(place) as admin:
        with pytest.raises(UnleashAway, match="ConnectError"):
            await admin.feature("f")


async def test_an_answer_that_is_no_answer_is_told() -> None:
    """A success without what was asked for is no success; a 404 of somebody else is no missing flag."""
    async with somebody(answering("200 OK", '"hello"')) as place, opened_admin(place) as admin:
        with pytest.raises(UnleashUnexpected):
            await admin.events(limit=1)
    async with somebody(answering("404 Not Found", "<html>")) as place, opened_admin(place) as admin:
        with pytest.raises(UnleashUnexpected):
            await admin.feature("f")
