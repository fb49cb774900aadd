"""A whole HTTP request that nobody has begun to answer, and the ways to go on with it."""

from typing import Any, Protocol

from gateway.call import NOTHING_BEGUN, Begun
from gateway.protocol.binary import Body
from gateway.reply import Reply


class Head(Protocol):
    """The head of requests that are alike but for their bodies."""

    seen: Any
    """What has been found out about it; None at first."""


class Exchange(Protocol):
    """A POST that came whole in one piece, on a connection where nothing else is being answered."""

    target: bytes
    """The path as it was sent; there is no query."""
    headers: list[tuple[bytes, bytes]]
    """Names in lower case."""
    body: Body
    head: Head | None
    """What its headers are, save for the length, where its connection has sent them before."""

    def answer(self, body: bytes) -> None:
        """Write 200 with this JSON."""

    def refuse(self, reply: Reply) -> None:
        """Write this refusal, as the application would."""

    def generally(self, begun: Begun = NOTHING_BEGUN) -> None:
        """Let the application answer it as any other request; nothing that was begun is done again."""
