"""One link a person: whoever opens it is signed in to the console as that person, without choosing a password first.

The door listens on the loopback, beside the server. It signs in as anybody else does and hands the session's cookie on;
a browser keeps cookies by host, not by port. Each link holds a secret of its own, which lasts as long as the play.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import httpx

from demo.errors import DemoError
from demo.play.founding import YOU, Member
from demo.play.product import connect

LINE_MAX_BYTES = 8192
PAGES = {"operator": "/console/models", "auditor": "/console/models", "admin": "/console/models"}
"""Where a person begins who is not a reviewer."""
LANE = "/console/lane"


class Door:
    """Hands out links, and lets those in who open one."""

    def __init__(self, server: str, members: Sequence[Member], port: int) -> None:
        self.port = port
        self.before_you_enter: Callable[[], Awaitable[None]] | None = None
        """What is to be done before you come in, while there is something."""
        self._server = server
        self._url = f"http://127.0.0.1:{port}"
        self._paths: Mapping[str, Member] = {f"/{member.name}/{secrets.token_urlsafe(6)}": member for member in members}

    def link(self, name: str) -> str:
        """The link of the person with this role."""
        path = next(path for path, member in self._paths.items() if member.name == name)
        return f"{self._url}{path}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request of a browser."""
        try:
            words = (await reader.readuntil(b"\r\n")).decode("latin-1").split()
            path = words[1] if len(words) == 3 and words[0] == "GET" else ""
            member = self._paths.get(path.partition("?")[0])
            writer.write(await self._let_in(member) if member is not None else UNKNOWN)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the browser has gone, or is none
        finally:
            writer.close()

    async def _let_in(self, member: Member) -> bytes:
        if member.name == YOU and self.before_you_enter is not None:
            with contextlib.suppress(DemoError):  # the caller may have its answer already
                await self.before_you_enter()
        body = {"email": member.email, "password": member.password}
        try:
            async with connect(self._server) as http:  # a fresh one, which has no cookie of somebody else
                answer = await http.post("/api/v1/session", json=body)
        except httpx.HTTPError:
            return AWAY
        if not answer.is_success:
            return AWAY
        page = f"{self._server}{PAGES.get(member.name, LANE)}"
        return _reply("303 See Other", ("Location", page), ("Set-Cookie", answer.headers["set-cookie"]))


@asynccontextmanager
async def opened(server: str, members: Sequence[Member], port: int) -> AsyncIterator[Door]:
    """A door that lets people in until the block ends."""
    door = Door(server, members, port)
    listening = await asyncio.start_server(door.answer, "127.0.0.1", port, limit=LINE_MAX_BYTES)
    try:
        yield door
    finally:
        listening.close()
        await listening.wait_closed()


def _reply(status: str, *headers: tuple[str, str], text: str = "") -> bytes:
    sent = (*headers, ("Content-Type", "text/plain"), ("Content-Length", str(len(text))), ("Connection", "close"))
    lines = [f"HTTP/1.1 {status}", "Cache-Control: no-store", *(f"{name}: {value}" for name, value in sent)]
    return ("\r\n".join(lines) + f"\r\n\r\n{text}").encode("latin-1")


UNKNOWN = _reply("404 Not Found", text="This link is of another play; the terminal prints the present ones.")
AWAY = _reply("503 Service Unavailable", text="The server does not let anybody in right now; try again in a moment.")
