"""Waits for the truth of a prediction and tells it exactly once: decide what to tell, record it, tell it.

A wait ends on the first of a released outcome, the deadline, the caller's disconnect and the process's shutdown. Only
the one whose delivery is recorded may tell; who comes second reads the truth again.
"""

from math import inf
from uuid import UUID

import msgspec

from gateway.answers import judged_outputs
from gateway.errors import LedgerUnavailable, UnknownPrediction
from gateway.holding.correct import finite
from gateway.holding.deliver import Deliveries, told_already
from gateway.holding.fallback import Fallback, fallback_of
from gateway.holding.payload import Answered
from gateway.holding.seen import DeliveryKind, Seen
from gateway.holding.tell import Told, refusal, tell_fallback, tell_held, tell_truth
from gateway.holding.truth import Truth, truth_of
from gateway.holding.wait import Wait
from gateway.holding.waiters import Waiter, Waiters
from gateway.reply import Reply
from gateway.store import predictions
from gateway.store.ledger import Ledger
from gateway.times import SECOND_US, now_us


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody listens for a prediction's truth."""

    wait: Wait
    caller: bool = True
    """True for the caller itself: what it is told is a delivery."""
    asks_again: bool = False
    """True for a GET: 202 is then no delivery, it tells nothing new."""


class Telling:
    """Tells the callers of this process."""

    def __init__(self, ledger: Ledger, waiters: Waiters, deliveries: Deliveries, public_url: str) -> None:
        self._ledger = ledger
        self._waiters = waiters
        self._deliveries = deliveries
        self._public_url = public_url.rstrip("/")

    async def tell(self, said: Answered, model_id: UUID, listener: Listener) -> Reply:
        """The reply, once there is one to give. A ledger that is away is a 503 with the prediction's URL."""
        try:
            with self._waiters.waiting(said.prediction_id, model_id) as waiter:
                return await self._tell(said, listener, waiter)
        except LedgerUnavailable as error:
            return refusal(said.prediction_id, error)

    async def _tell(self, said: Answered, listener: Listener, waiter: Waiter) -> Reply:
        seen = await self._wait(waiter, listener)
        while True:
            seen = seen or await self.see(said.prediction_id)
            truth = truth_of(seen, fallback_is_answer=fallback_at_last(said, said.held) != "refusal")
            if truth.kind == "held" and self._early(listener):
                seen = await self._wait(waiter, listener)
            elif reply := await self._try(said, truth, seen, listener):
                return reply
            else:
                seen = None  # another delivery came first

    async def _wait(self, waiter: Waiter, listener: Listener) -> Seen | None:
        return await waiter.seen(listener.wait.until_us) if self._early(listener) else None

    def _early(self, listener: Listener) -> bool:
        return not self._waiters.closing and listener.wait.until_us > now_us()

    async def see(self, prediction_id: UUID) -> Seen:
        """What the ledger says now. Raises: UnknownPrediction, LedgerUnavailable."""
        async with self._ledger.reading() as r:
            seen = await predictions.see(r, [prediction_id])
        if prediction_id not in seen:
            raise UnknownPrediction
        return seen[prediction_id]

    async def _try(self, said: Answered, truth: Truth, seen: Seen, listener: Listener) -> Reply | None:
        """The reply to what was seen, recorded; None when another delivery came first."""
        told = self._told(said, truth, seen, listener)
        if truth.kind == "gone" or not listener.caller or (told.kind == "held" and listener.asks_again):
            return told.reply
        if told_already(told, seen) or await self._deliveries.deliver(said.prediction_id, told, seen):
            return told.reply
        return None

    def _told(self, said: Answered, truth: Truth, seen: Seen, listener: Listener) -> Told:
        missing = {item: rule for item, rule in said.held.items() if item not in truth.outcomes}
        match truth.kind:
            case "held" if listener.wait.then == "async":
                return tell_held(said, delivered=_last_answer(seen))
            case "held":
                kind = self._fallback_now(said, missing)
                return tell_fallback(said, kind, truth, public_url=self._public_url)
            case "given_up":
                return tell_fallback(said, fallback_at_last(said, missing), truth, public_url=self._public_url)
            case _:
                return tell_truth(said, truth)

    def _fallback_now(self, said: Answered, missing: dict[int, str]) -> Fallback:
        if self._waiters.closing:
            return "refusal"
        waited_s = (now_us() - said.decided_us) / SECOND_US
        return fallback_of(said.policy, missing.values(), waited_s=waited_s, finite=_finite(said))


def fallback_at_last(said: Answered, missing: dict[int, str]) -> Fallback:
    """The fallback once people have given up these items."""
    return fallback_of(said.policy, missing.values(), waited_s=inf, finite=_finite(said))


def _finite(said: Answered) -> bool:
    return finite(judged_outputs(said.answer, said.outputs))


def _last_answer(seen: Seen) -> DeliveryKind | None:
    """The kind of the last answer that was told while it is still held."""
    return next((delivery.kind for delivery in reversed(seen.deliveries) if delivery.kind != "held"), None)
