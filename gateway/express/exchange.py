"""A whole HTTP request that nobody has begun to answer, and the ways to go on with it."""

from typing import Protocol

from gateway.reply import Reply


class Exchange(Protocol):
    """A POST that came whole in one piece, on a connection where nothing else is being answered."""

    target: bytes
    """The path as it was sent; there is no query."""
    headers: list[tuple[bytes, bytes]]
    """Names in lower case."""
    body: bytes

    def answer(self, body: bytes) -> None:
        """Write 200 with this JSON."""

    def refuse(self, reply: Reply) -> None:
        """Write this refusal, as the application would."""

    def generally(self, draws: tuple[float, ...] = ()) -> None:
        """Let the application answer it as any other request; what was drawn for its items is not drawn again."""
