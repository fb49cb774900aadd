"""What ASGI gives and takes, for the applications here that have no framework in front of them."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from gateway.reply import Reply

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def send_reply(send: Send, reply: Reply) -> None:
    """Write a reply."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def header(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str | None:
    """The value of the first header of this name, which is in lower case."""
    return next((value.decode("latin-1") for name, value in headers if name == wanted), None)
