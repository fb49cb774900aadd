"""Reads the body of a request: no more bytes than are taken, and no longer than one waits for them."""

import asyncio

from gateway.errors import BadRequest
from gateway.holding.asked import RawHeaders
from gateway.http.asgi import Message, Receive, header
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


async def read_body(headers: RawHeaders, receive: Receive, limit: int, seconds: float) -> bytes:
    """The whole body, refused before memory is taken when it is too large.

    Raises: BodyTooLarge, BodyTooSlow, BodyEndedEarly.
    """
    declared = header(headers, b"content-length")
    if declared is not None and declared.isdecimal() and int(declared) > limit:
        raise BodyTooLarge(found=int(declared), limit=limit)
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, limit)
    except TimeoutError as error:
        raise BodyTooSlow(seconds=f"{seconds:g}") from error


async def part_within(receive: Receive, seconds: float) -> Message:
    """The next part of a body. Raises: BodyTooSlow."""
    try:
        async with asyncio.timeout(seconds):
            return await receive()
    except TimeoutError as error:
        raise BodyTooSlow(seconds=f"{seconds:g}") from error


async def _read(receive: Receive, limit: int) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return bytes(message.get("body", b""))
    parts, size = bytearray(), 0
    while message["type"] == "http.request":
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise BodyTooLarge(found=size, limit=limit)
        parts += part
        if not message.get("more_body"):
            return bytes(parts)
        message = await receive()
    raise BodyEndedEarly
