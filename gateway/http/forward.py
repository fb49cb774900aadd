"""Passes on what the console process answers: `/api/v1`, `/console` and the docs, streamed both ways.

One address serves everything; in front of several machines a load balancer may do the same by path.
"""

import asyncio
from collections.abc import AsyncIterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import httpx

from gateway.errors import Unavailable
from gateway.http.asgi import Receive, Scope, Send, send_reply
from gateway.http.body import BodyTooSlow, part_within
from gateway.reply import Reply, error_reply

CONNECT_TIMEOUT_S = 2.0
EVENT_STREAM = "text/event-stream"
_HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
_WRITTEN_ANEW = _HOP_BY_HOP | {b"date", b"server"}
"""Headers of an answer that this process's own server writes."""
HOME = Reply(307, (("Location", "/console"),), b"")
_AS_SENT = "%/:?@!$&'()*+,;=-._~"
"""What stands in a path or query as it is; `%` because it was escaped by whoever sent it."""


class ConsoleUnavailable(Unavailable):
    """The console is starting or away; try again in a moment."""

    code = "console-unavailable"
    retry_after_s = 2.0


class Forward:
    """An ASGI application that is another one, elsewhere."""

    def __init__(self, url: str, part_s: float) -> None:
        self._part_s = part_s
        limits = httpx.Limits(max_connections=256, max_keepalive_connections=32)
        timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT_S)
        self._console = httpx.URL(url)
        self._client = httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False, cookies=_forgetful())
        self._ending = asyncio.Event()

    def end_streams(self) -> None:
        """End the streams that are passed on, which would otherwise outlast this process's patience."""
        self._ending.set()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and its answer back; who comes without a path is shown to the console."""
        if scope["path"] == "/":
            await send_reply(send, HOME)
            return
        request = self._client.build_request(
            scope["method"],
            self._console.copy_with(raw_path=target_of(scope)),
            headers=_request_headers(scope),
            content=_body(receive, self._part_s) if _has_body(scope) else None,
        )
        try:
            response = await self._client.send(request, stream=True)
        except httpx.TransportError:
            await send_reply(send, error_reply(ConsoleUnavailable()))
            return
        except BodyTooSlow as error:
            await send_reply(send, error_reply(error, headers=(("Connection", "close"),)))
            return
        try:
            if response.headers.get("content-type", "").startswith(EVENT_STREAM):
                await _pass_stream(response, receive, send, self._ending)
            else:
                await _pass_back(response, send)
        finally:
            await response.aclose()


def target_of(scope: Scope) -> bytes:
    """The path and query as they were sent; bytes that no address may hold are escaped. Pure."""
    path, query = (quote(part, safe=_AS_SENT).encode() for part in (scope["raw_path"], scope["query_string"]))
    return path + b"?" + query if query else path


def _forgetful() -> CookieJar:
    """A jar that keeps no cookie: what one caller is given must never be sent for another."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def _request_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The caller's headers, with whom and what it asked for; what it says of forwarding itself is not believed."""
    dropped = _HOP_BY_HOP | {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"forwarded"}
    headers = [(name, value) for name, value in scope["headers"] if name not in dropped]
    client: Any = scope.get("client")
    if client:
        headers.append((b"x-forwarded-for", str(client[0]).encode("latin-1")))
    return headers


def _has_body(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return b"content-length" in names or b"transfer-encoding" in names


async def _body(receive: Receive, part_s: float) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await part_within(receive, part_s)
        if message["type"] != "http.request":
            return
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _pass_stream(response: httpx.Response, receive: Receive, send: Send, ending: asyncio.Event) -> None:
    """Pass a stream back until it ends, its reader leaves, or this process does; a reader comes back by itself."""
    over = asyncio.create_task(_over(receive, ending))
    passing = asyncio.create_task(_pass_back(response, send))
    try:
        await asyncio.wait({over, passing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        cut = passing.cancel()
        over.cancel()
        await asyncio.gather(over, passing, return_exceptions=True)
    if cut or passing.exception() is not None:
        await send({"type": "http.response.body", "body": b""})


async def _over(receive: Receive, ending: asyncio.Event) -> None:
    """Return once the reader has left or this process ends."""
    ends = asyncio.create_task(ending.wait())
    left = asyncio.create_task(_left(receive))
    try:
        await asyncio.wait({ends, left}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ends.cancel()
        left.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _pass_back(response: httpx.Response, send: Send) -> None:
    headers = [(name.lower(), value) for name, value in response.headers.raw if name.lower() not in _WRITTEN_ANEW]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    async for part in response.aiter_raw():
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
