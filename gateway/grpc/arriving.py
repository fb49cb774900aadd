"""Takes the message of a call: not before its key where one is needed, and for no longer than a body may take.

On the wire these are calls with one request and one response like any other; here the request is a stream of one,
because the library would otherwise wait for it by itself, and for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from grpc import aio

from gateway.grpc.refuse import Context, refusal_for, refuse
from gateway.http.body import BodyEndedEarly, BodyTooSlow

Asked = Callable[[Any, Context], Awaitable[Any]]
Arriving = Callable[[object, Context], Awaitable[Any]]


def arriving(method: Asked, seconds: float, first: Callable[[Context], object] | None = None) -> Arriving:
    """The method for a call whose message is still to come; `first` may refuse it unread."""

    async def call(_coming: object, context: Context) -> Any:
        try:
            if first is not None:
                first(context)
            message = await message_of(context, seconds)
        except Exception as error:  # noqa: BLE001 - the last resort: the caller gets our words, the log the cause
            refusal = refusal_for(error)
        else:
            return await method(message, context)
        return await refuse(context, refusal)

    return call


async def message_of(context: Context, seconds: float) -> Any:
    """The one message of a call. Raises: BodyTooSlow, BodyEndedEarly."""
    try:
        async with asyncio.timeout(seconds):
            message = await context.read()
    except TimeoutError as error:
        raise BodyTooSlow(seconds=f"{seconds:g}") from error
    if message is aio.EOF:
        raise BodyEndedEarly
    return message


async def rest_of(context: Context, seconds: float) -> None:
    """Return once the caller has said all, or after this long: a client that is refused while it still sends takes
    that for a fault of its own and does not tell the refusal.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while await context.read() is not aio.EOF:
                pass
