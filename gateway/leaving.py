"""Ends a wait when the caller hangs up; what it waits for goes on."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from gateway.errors import GatewayError
from gateway.reply import Reply


class CallerLeft(GatewayError):
    """The caller hung up; nobody reads this."""

    status = 499
    code = "caller-left"


async def unless_left(waiting: Coroutine[Any, Any, Reply], left: Callable[[], Awaitable[object]]) -> Reply:
    """The reply that `waiting` comes to; as soon as the caller has left, it is cancelled. Raises: CallerLeft."""
    wait = asyncio.ensure_future(waiting)
    leave = asyncio.ensure_future(left())
    try:
        await asyncio.wait({wait, leave}, return_when=asyncio.FIRST_COMPLETED)
        if not wait.done():
            raise CallerLeft
        return wait.result()
    finally:
        for task in (wait, leave):
            task.cancel()
        await asyncio.gather(wait, leave, return_exceptions=True)
