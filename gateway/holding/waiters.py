"""The callers of this process that wait for people: one listener of the ledger's bell wakes all of them.

On each ring, on each new wait and at most every second, one query for all waiting predictions finds those that were
decided; only these are read. A wake-up that is lost costs one poll. A waiter that leaves, for whatever reason, takes
itself off the list; a future is settled only if it is not done.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import structlog

from gateway.errors import LedgerUnavailable
from gateway.holding.seen import Seen
from gateway.store import predictions
from gateway.store.bell import Listener
from gateway.store.ledger import Ledger, ReadSession
from gateway.times import SECOND_US, now_us

_log = structlog.get_logger(__name__)

POLL_S = 1.0
RETRY_S = 0.2


class Waiter:
    """One caller that waits for one prediction."""

    def __init__(self, prediction_id: UUID, model_id: UUID, listener: Listener) -> None:
        self.prediction_id = prediction_id
        self.model_id = model_id
        self._listener = listener
        self._decided: asyncio.Future[Seen | None] | None = None

    async def seen(self, until_us: int) -> Seen | None:
        """What the ledger says once it is decided; None after the deadline, or when the process shuts down.

        Asking counts as a ring of the bell, so that nothing decided before is missed.
        """
        self._decided = asyncio.get_running_loop().create_future()
        self._listener.hear()
        try:
            async with asyncio.timeout(max(0.0, (until_us - now_us()) / SECOND_US)):
                return await self._decided
        except TimeoutError:
            return None
        finally:
            self._decided = None

    @property
    def waits(self) -> bool:
        """Whether it is asking and has not been woken; one that has is being told already."""
        return self._decided is not None and not self._decided.done()

    def wake(self, seen: Seen | None) -> None:
        """End the wait, unless it has ended."""
        if self._decided is not None and not self._decided.done():
            self._decided.set_result(seen)


class Waiters:
    """Everybody in this process who waits; made by `open_waiters`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiters: set[Waiter] = set()
        self._listener = ledger.bell.listen()
        self._open: dict[UUID, int] = {}
        self._opened: Counter[UUID] = Counter()
        self._counted_at = float("-inf")
        self._release_us: int | None = None
        self.closing = False

    @contextmanager
    def waiting(self, prediction_id: UUID, model_id: UUID) -> Iterator[Waiter]:
        """A waiter on the list for as long as the block lasts."""
        waiter = Waiter(prediction_id, model_id, self._listener)
        self._waiters.add(waiter)
        try:
            yield waiter
        finally:
            self._waiters.discard(waiter)

    def waiting_count(self, model_id: UUID) -> int:
        """How many callers of a model wait in this process."""
        return sum(waiter.model_id == model_id for waiter in self._waiters)

    def waits_for(self, prediction_id: UUID) -> bool:
        """Whether some caller of this process waits for the prediction."""
        return any(waiter.prediction_id == prediction_id for waiter in self._waiters)

    def open_count(self, model_id: UUID) -> int:
        """How many holds of a model are open: as counted last, at most a second ago, and those opened here since."""
        return self._open.get(model_id, 0) + self._opened[model_id]

    def note_opened(self, model_id: UUID) -> None:
        """Count a hold that this process has opened."""
        self._opened[model_id] += 1

    def close(self) -> None:
        """End every wait, and those that come later, because the process shuts down."""
        self.closing = True
        for waiter in tuple(self._waiters):
            waiter.wake(None)

    async def listen(self) -> None:
        """Wake those whose prediction was decided, until cancelled."""
        with self._listener:
            while True:
                try:
                    await self._look()
                except LedgerUnavailable:
                    await asyncio.sleep(RETRY_S)
                except Exception:  # noqa: BLE001 - the one listener must outlive whatever a driver thinks of
                    _log.exception("waiters_look_failed")
                    await asyncio.sleep(RETRY_S)
                await self._listener.wait(self._pause_s())

    async def _look(self) -> None:
        count_due = asyncio.get_running_loop().time() - self._counted_at >= POLL_S
        ids = {waiter.prediction_id for waiter in self._waiters if waiter.waits}
        self._release_us = None
        if not ids and not count_due:
            return
        if ids:
            async with self._ledger.reading() as r:
                self._wake(await self._decided(r, ids))
        if count_due:
            await self._count()

    def _wake(self, decided: Mapping[UUID, Seen]) -> None:
        for waiter in tuple(self._waiters):
            if waiter.prediction_id in decided:
                waiter.wake(decided[waiter.prediction_id])

    async def _count(self) -> None:
        """Count the open holds anew."""
        counted = await predictions.count_open(self._ledger)
        self._open, self._opened = counted, Counter()
        self._counted_at = asyncio.get_running_loop().time()

    async def _decided(self, r: ReadSession, ids: set[UUID]) -> dict[UUID, Seen]:
        """What the ledger says of those that were decided and released."""
        releases = await predictions.decided_holds(r, ids)
        if not releases:
            return {}
        now = await r.now_us()
        ready = {found for found, release_us in releases.items() if release_us is None or release_us <= now}
        later = [us for us in releases.values() if us is not None and us > now]
        self._release_us = min(later, default=None)
        return await predictions.see(r, ready) if ready else {}

    def _pause_s(self) -> float:
        """Until the next poll, or until the next outcome that was decided is released."""
        if self._release_us is None:
            return POLL_S
        return min(POLL_S, max(0.001, (self._release_us - now_us()) / SECOND_US))


@asynccontextmanager
async def open_waiters(ledger: Ledger) -> AsyncIterator[Waiters]:
    """The waiters of this process, with their listener running."""
    waiters = Waiters(ledger)
    task = asyncio.create_task(waiters.listen(), name="waiters")
    try:
        yield waiters
    finally:
        waiters.close()
        task.cancel()
        await asyncio.wait([task])
