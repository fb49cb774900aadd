"""Streams the timeline as server-sent events: the ledger is the buffer, and the bell only says when to look.

A stream reads at most one stretch ahead of what its client has taken, so a slow client costs a stretch and a position.
One that broke off goes on behind the position it had last. A stream ends by itself after a while: its client comes
back, and whoever was shut out meanwhile does not get in.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import UUID

import msgspec

from gateway.errors import LedgerUnavailable
from gateway.store.bell import Listener
from gateway.store.events import latest_position
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.errors import ReviewError
from review.timeline.reading import Asked, Stretch, read_timeline
from review.timeline.told import Entry

STRETCH = 100
"""How many events one look reads, and a client may be behind in memory."""
POLL_S = 1.0
"""How often a stream looks although the bell is silent."""
PAUSE_S = 0.1
"""How long a stream rests between two looks, however often the bell rings."""
HEARTBEAT_S = 15.0
"""How often a silent stream says that it is there, so that no proxy takes it for dead."""
STREAM_S = 300.0
AGAIN_MS = 1_000
"""How soon a client that was cut off comes back."""
STREAMS_MAX = 64
STREAMS_MAX_EACH = 6
"""As many as a browser opens to one host over HTTP/1.1."""


class TooManyStreams(ReviewError):
    """There are as many streams open as this server takes: close another one, or ask the timeline for pages."""

    status = 429
    code = "too-many-streams"
    retry_after_s = 5.0


class Streams:
    """The streams that are open, so that there are not too many and that they end when the server does."""

    def __init__(self) -> None:
        self.closing = False
        self._open: Counter[UUID] = Counter()
        self._listeners: set[Listener] = set()

    def __len__(self) -> int:
        return self._open.total()

    def require_room(self, actor_id: UUID) -> None:
        """Return if one more may be opened for somebody. Raises: TooManyStreams."""
        if self.closing or len(self) >= STREAMS_MAX or self._open[actor_id] >= STREAMS_MAX_EACH:
            raise TooManyStreams

    @contextmanager
    def opened(self, actor_id: UUID, listener: Listener) -> Iterator[None]:
        """Count a stream as open until the block ends."""
        self._open[actor_id] += 1
        self._listeners.add(listener)
        try:
            yield
        finally:
            self._open[actor_id] -= 1
            self._listeners.discard(listener)

    def close(self) -> None:
        """End every stream at its next look, which is now, and open none any more."""
        self.closing = True
        for listener in tuple(self._listeners):
            listener.hear()


async def follow(
    ledger: Ledger, streams: Streams, actor: Actor, model: str | None, after: int | None
) -> AsyncIterator[bytes]:
    """The timeline behind a position, or from now on, as the bytes of `text/event-stream`."""
    loop = asyncio.get_running_loop()
    until = loop.time() + STREAM_S
    with ledger.bell.listen() as bell, streams.opened(actor.id, bell):
        yield f"retry: {AGAIN_MS}\n\n".encode()
        spoke = loop.time()
        while not streams.closing and loop.time() < until:
            try:
                after = await _position(ledger) if after is None else after
                stretch = await _look(ledger, actor, model, after)
            except LedgerUnavailable:
                stretch = None
            if stretch is not None and stretch.newest is not None:
                for entry in reversed(stretch.entries):
                    yield frame(entry)
                after, spoke = stretch.newest, loop.time()
            elif loop.time() - spoke >= HEARTBEAT_S:
                yield b": still here\n\n"
                spoke = loop.time()
            if stretch is None or not stretch.more:
                await _until_news(bell)


def frame(entry: Entry) -> bytes:
    """An entry as one event of a stream; its position is the id from which a client goes on."""
    return b"id: %d\ndata: %b\n\n" % (entry.position, msgspec.json.encode(entry))


async def _until_news(bell: Listener) -> None:
    await asyncio.sleep(PAUSE_S)
    await bell.wait(POLL_S)


async def _position(ledger: Ledger) -> int:
    async with ledger.reading() as r:
        return await latest_position(r)


async def _look(ledger: Ledger, actor: Actor, model: str | None, after: int) -> Stretch:
    async with ledger.reading() as r:
        return await read_timeline(r, actor.tenant_id, Asked(model=model, after=after, limit=STRETCH))
