"""Ends a call without a response: every error of the gateway as a status, its text and its trailing metadata."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Never, Protocol

from grpc import StatusCode, aio

from gateway.errors import GatewayError
from gateway.grpc.answer import Refusal, refusal_of
from gateway.noted import note_failure
from gateway.reply import error_reply

Metadata = tuple[tuple[str, str], ...]


class Context(Protocol):
    """What is used here of the context of a call; the library brings no types."""

    async def abort(self, code: StatusCode, details: str, trailing_metadata: Metadata = ()) -> Never:
        """End the call with a status."""

    async def read(self) -> Any:
        """The next message of the caller, `grpc.aio.EOF` behind the last."""

    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]] | None:
        """What came beside the request."""

    def time_remaining(self) -> float | None:
        """Seconds until the caller gives up; None where it never does."""


Method = Callable[[bytes, Context], Awaitable[bytes]]


def refusal_for(error: Exception) -> Refusal:
    """The refusal that an error is; a fault of ours is logged whole and told in one sentence."""
    if isinstance(error, GatewayError):
        return refusal_of(error_reply(error))
    note_failure(error)
    return refusal_of(error_reply(GatewayError()))


async def refuse(context: Context, refusal: Refusal) -> Never:
    """Never returns: the call has ended. Where it had ended before, for its caller had left, nobody is told."""
    try:
        await context.abort(refusal.status, refusal.text, refusal.metadata)
    except aio.InternalError as error:
        raise asyncio.CancelledError from error


def refusing(method: Method) -> Method:
    """The method, whose errors are refusals."""

    async def call(request: bytes, context: Context) -> bytes:
        try:
            return await method(request, context)
        except Exception as error:  # noqa: BLE001 - the last resort: the caller gets our words, the log the cause
            refusal = refusal_for(error)
        return await refuse(context, refusal)

    return call
