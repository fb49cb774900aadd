"""What ASGI gives and takes, for the applications here that have no framework in front of them."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol

from gateway.reply import Reply

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


BEGUN = "lockgate.begun"
"""Where the scope of a request that was plain at first has what was begun of it (`gateway.call.Begun`)."""
BODY = "lockgate.body"
"""Where the scope of a request with a large body has what reads it straight into a room (a `Straight`)."""
JOINED_MAX_BYTES = 65_536
"""Up to this size it costs less to join the parts of a reply than to send one after the other."""


class Straight(Protocol):
    """A body of a declared length that can be had without pieces."""

    async def read(self, make_room: Callable[[], memoryview]) -> memoryview | None:
        """All of it, in the room that is made for it if it lies nowhere yet; None where the connection ends before."""


async def send_reply(send: Send, reply: Reply) -> None:
    """Write a reply; large tensors are written from where they lie."""
    size = reply.size
    headers = header_lines(reply)
    headers.append((b"content-length", str(size).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.tensors and size > JOINED_MAX_BYTES:
        for part in (reply.body, *reply.tensors):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        await send({"type": "http.response.body", "body": reply.whole if reply.tensors else reply.body})


def header_lines(reply: Reply) -> list[tuple[bytes, bytes]]:
    """The headers of a reply as ASGI has them, without its length."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]


def values_of(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> list[str]:
    """The values of all headers of this name, which is in lower case."""
    return [value.decode("latin-1") for name, value in headers if name == wanted]


def header(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str | None:
    """The value of the first header of this name, which is in lower case."""
    for name, value in headers:
        if name == wanted:
            return value.decode("latin-1")
    return None
