"""A call is ended with a status, and one that has ended already without a fault of ours."""

import asyncio
from typing import Any, Never

import pytest
from grpc import StatusCode, aio

from gateway.grpc.answer import Refusal
from gateway.grpc.refuse import Metadata, refuse

REFUSAL = Refusal(status=StatusCode.INVALID_ARGUMENT, code="wrong", text="This is wrong.", metadata=())


class Context:
    """A call whose end is what its library makes of it."""

    def __init__(self, end: Exception) -> None:
        self.end = end
        self.told: list[tuple[StatusCode, str]] = []

    async def abort(self, code: StatusCode, details: str, trailing_metadata: Metadata = ()) -> Never:
        """End the call."""
        self.told.append((code, details))
        raise self.end

    async def read(self) -> Any:
        """Nothing more comes."""
        return aio.EOF

    def invocation_metadata(self) -> None:
        """Nothing came beside the request."""

    def time_remaining(self) -> None:
        """The caller never gives up."""


async def test_a_refusal_is_told() -> None:
    """By the exception with which the library knows that it was."""
    context = Context(aio.AbortError())
    with pytest.raises(aio.AbortError):
        await refuse(context, REFUSAL)
    assert context.told == [(StatusCode.INVALID_ARGUMENT, "This is wrong.")]


async def test_a_call_that_has_ended_is_cancelled() -> None:
    """Its caller left while it was refused: that is no fault of ours, and nothing for the log."""
    with pytest.raises(asyncio.CancelledError):
        await refuse(Context(aio.InternalError("Failed")), REFUSAL)
