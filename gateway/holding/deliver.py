"""Records what callers are told, before the bytes leave: inserting n = last + 1 is a compare-and-swap.

All deliveries that come while a transaction runs share the next one, so that fifty callers cost a few commits. A
prediction's row is locked while its delivery is written, so that a cancellation, a second replica and a deadline each
find what the other has done. Whoever loses reads the truth again and tells what was recorded.
"""

import asyncio
from uuid import UUID

import msgspec

from gateway.holding.seen import Seen
from gateway.holding.tell import Told
from gateway.metrics import DELIVERIES
from gateway.store import cases, deliveries, predictions
from gateway.store.deliveries import NewDelivery
from gateway.store.ledger import Ledger, WriteSession


class _Attempt(msgspec.Struct, frozen=True, eq=False):
    new: NewDelivery
    won: "asyncio.Future[bool]"


class Deliveries:
    """The deliveries of this process."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: list[_Attempt] = []
        self._writer: asyncio.Task[None] | None = None

    async def deliver(self, prediction_id: UUID, told: Told, seen: Seen) -> bool:
        """True once it is recorded as the next delivery after those that were seen; False when another came first.

        A cancelled caller does not take back what is being written. Raises: LedgerUnavailable.
        """
        new = delivery(prediction_id, told, seen.last_n + 1)
        attempt = _Attempt(new, asyncio.get_running_loop().create_future())
        self._waiting.append(attempt)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name="deliveries")
        return await asyncio.shield(attempt.won)

    async def close(self) -> None:
        """Wait for what is being written."""
        if self._writer is not None:
            await asyncio.wait([self._writer])

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._write(batch)
        finally:
            self._writer = None

    async def _write(self, batch: list[_Attempt]) -> None:
        try:
            async with self._ledger.writing(ring=False) as w:  # nobody waits for what another caller is told
                winners = await _insert_winners(w, [attempt.new for attempt in batch])
            for new in winners.values():
                DELIVERIES.add(new.kind)
            await self._note_left([new for new in winners.values() if not _settles(new)])
        except Exception as error:  # noqa: BLE001 - goes to those who wait for it
            for attempt in batch:
                if not attempt.won.done():
                    attempt.won.set_exception(error)
                    attempt.won.exception()  # a caller that has gone will not look at it
            return
        for attempt in batch:
            if not attempt.won.done():
                attempt.won.set_result(_same(attempt.new) in winners)

    async def _note_left(self, told: list[NewDelivery]) -> None:
        """Show on the cases that nobody waits any more, in a transaction of its own: the desk locks cases first."""
        if told:
            async with self._ledger.writing() as w:
                await cases.set_waiting(w, {new.prediction_id for new in told}, waiting=False)


def delivery(prediction_id: UUID, told: Told, n: int) -> NewDelivery:
    """The row that says so."""
    return NewDelivery(
        prediction_id=prediction_id,
        n=n,
        kind=told.kind,
        outcome_revision=told.outcome_revision,
        response_digest=told.reply.digest,
    )


def told_already(told: Told, seen: Seen) -> bool:
    """Whether the last delivery said the same, so that telling it again is no new one."""
    if not seen.deliveries:
        return False
    last = seen.deliveries[-1]
    return (last.kind, last.outcome_revision) == (told.kind, told.outcome_revision)


_Same = tuple[UUID, int, str, int | None]


def _same(new: NewDelivery) -> _Same:
    """What two callers of one prediction share when they are told the same thing at the same moment."""
    return (new.prediction_id, new.n, new.kind, new.outcome_revision)


async def _insert_winners(w: WriteSession, batch: list[NewDelivery]) -> dict[_Same, NewDelivery]:
    """Insert those that come next after what is recorded; what they say."""
    ids = {new.prediction_id for new in batch}
    if w.locks_rows:
        await predictions.lock_predictions(w, ids)
    last = await deliveries.last_deliveries(w, ids)
    winners: dict[_Same, NewDelivery] = {}
    for new in batch:
        if last.get(new.prediction_id) == new.n - 1:
            last[new.prediction_id] = new.n
            winners[_same(new)] = new
    await deliveries.insert_deliveries(w, winners.values(), await w.now_us())
    return winners


def _settles(new: NewDelivery) -> bool:
    """Whether the caller has its outcome; whoever was told anything else waits no more."""
    return new.outcome_revision is not None and new.kind in ("answer", "refusal")
