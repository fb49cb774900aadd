"""Reads the body of a request: no more bytes than are taken, and no longer than one waits for them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

from gateway.errors import BadRequest
from gateway.holding.asked import RawHeaders
from gateway.http.asgi import Message, Receive, Straight, header
from gateway.protocol.binary import Body, room_for
from gateway.protocol.errors import BodyTooLarge

HUNG_UP = "client disconnected prematurely"
"""What Litestar calls an error of the server, and is none: whoever asked has gone."""


class BodyEndedEarly(BadRequest):
    """The connection ended before the whole body had come."""

    code = "body-ended-early"


class BodyTooSlow(BadRequest):
    """The body did not come within {seconds} seconds."""

    status = 408
    code = "body-too-slow"


async def read_body(
    headers: RawHeaders,
    receive: Receive,
    limit: int,
    seconds: float,
    *,
    json_bytes: int | None = None,
    straight: Straight | None = None,
) -> Body:
    """The whole body, refused before memory is taken when it is too large.

    Where binary data begins behind `json_bytes` of JSON, a large body is read to where its first tensor lies aligned:
    `straight` where the server can, else piece by piece.
    Raises: BodyTooLarge, BodyTooSlow, BodyEndedEarly.
    """
    size = _declared(header(headers, b"content-length"), limit)
    try:
        async with asyncio.timeout(seconds):
            if straight is not None and size is not None:
                return await _straight(straight, partial(room_for, size, json_bytes or 0))
            return await _read(receive, limit, size, json_bytes or 0)
    except TimeoutError as error:
        raise BodyTooSlow(seconds=f"{seconds:g}") from error


async def part_within(receive: Receive, seconds: float) -> Message:
    """The next part of a body. Raises: BodyTooSlow."""
    try:
        async with asyncio.timeout(seconds):
            return await receive()
    except TimeoutError as error:
        raise BodyTooSlow(seconds=f"{seconds:g}") from error


def within(receive: Receive, seconds: float) -> Receive:
    """The same for an application that reads a body by itself: all of it must come in time. Raises: BodyTooSlow."""
    until, more = asyncio.get_running_loop().time() + seconds, True

    async def bounded() -> Message:
        nonlocal more
        if not more:
            return await receive()
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError as error:
            raise BodyTooSlow(seconds=f"{seconds:g}") from error
        more = bool(message.get("more_body"))
        return message

    return bounded


def _declared(length: str | None, limit: int) -> int | None:
    """The size that a body is said to have, None where it is not; its digits may be too many to be read as a number.

    Raises: BodyTooLarge.
    """
    if length is None or not length.isdecimal():
        return None
    digits = length.lstrip("0") or "0"
    if len(digits) > len(str(limit)) or int(digits) > limit:
        raise BodyTooLarge(found=digits, limit=limit)
    return int(digits)


async def _straight(straight: Straight, make_room: Callable[[], memoryview]) -> Body:
    """A body without pieces. Raises: BodyEndedEarly."""
    body = await straight.read(make_room)
    if body is None:
        raise BodyEndedEarly
    return body


async def _read(receive: Receive, limit: int, size: int | None, json_bytes: int) -> Body:
    first = await receive()
    if first["type"] == "http.request" and not first.get("more_body"):
        return bytes(first.get("body", b""))
    if size is None:
        return await _grown(_parts(first, receive), limit)
    return await _filled(_parts(first, receive), room_for(size, json_bytes))


async def _grown(parts: AsyncIterator[bytes], limit: int) -> Body:
    """A body of which nobody knows how long it will be."""
    grown = bytearray()
    async for part in parts:
        if len(grown) + len(part) > limit:
            raise BodyTooLarge(found=len(grown) + len(part), limit=limit)
        grown += part
    return memoryview(grown)


async def _filled(parts: AsyncIterator[bytes], room: memoryview) -> Body:
    """A body in the room that it declared."""
    at = 0
    async for part in parts:
        end = at + len(part)
        if end > len(room):
            raise BodyTooLarge(found=end, limit=len(room))
        room[at:end] = part
        at = end
    return room[:at]


async def _parts(message: Message, receive: Receive) -> AsyncIterator[bytes]:
    """The parts of a body. Raises: BodyEndedEarly."""
    while message["type"] == "http.request":
        yield message.get("body", b"")
        if not message.get("more_body"):
            return
        message = await receive()
    raise BodyEndedEarly
