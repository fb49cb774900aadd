"""A request that came whole and that nobody has begun to answer."""

from typing import TYPE_CHECKING, Any

from gateway.protocol.binary import Body
from gateway.reply import Reply
from lockgate.heads import KnownHead

if TYPE_CHECKING:
    from lockgate.exchanges import WholeRequests


class WholeExchange:
    """A request that came whole. On its connection it stands for uvicorn's cycle, as far as that is asked."""

    __slots__ = (
        "_by", "body", "disconnected", "head", "headers", "keep_alive", "message_event", "response_complete", "target",
    )  # fmt: skip

    def __init__(self, by: "WholeRequests", body: Body, head: KnownHead | None = None) -> None:
        self.target = by.url
        self.headers = by.headers
        self.head = head
        self.body = body
        self.keep_alive = True
        self.response_complete = False
        self.disconnected = False
        self.message_event = _NOBODY_LISTENS
        self._by = by

    def answer(self, body: bytes) -> None:
        """Write 200 with this JSON."""
        if not self.response_complete:
            self.response_complete = True
            self._by.answered(self._by.answer_head(), body, keep_alive=self.keep_alive)

    def refuse(self, reply: Reply) -> None:
        """Write this refusal, as the application would."""
        if not self.response_complete:
            self.response_complete = True
            self._by.answered(self._by.head_of(reply), reply.body, keep_alive=self.keep_alive)

    def generally(self, begun: Any = None) -> None:
        """Let the application answer it as any other request; it finds in its scope what was begun of it."""
        if not self.response_complete:
            self.response_complete = True
            self._by.give_on(self, begun)


class _Nobody:
    """An event for which nobody waits."""

    def set(self) -> None:
        """Nothing happens."""


_NOBODY_LISTENS: Any = _Nobody()
