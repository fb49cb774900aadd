"""Holding, for one process: hold a prediction, meet it again, ask for it, withdraw it, report it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import msgspec

from gateway.decision import Asked
from gateway.errors import GatewayError, Gone, UnknownPrediction
from gateway.holding.decided import DecidedPrediction, Unkept, decided
from gateway.holding.deliver import Deliveries, delivery
from gateway.holding.held import HeldPrediction
from gateway.holding.idempotency import ClaimedKey
from gateway.holding.later import AutomatedPredictions
from gateway.holding.opening import HoldOpening, Opened, open_hold
from gateway.holding.payload import Answered, decode_answered
from gateway.holding.tell import Told, tell_gone, tell_held, tell_truth, with_header
from gateway.holding.telling import Listener, Telling
from gateway.holding.truth import Truth, truth_of
from gateway.holding.wait import Wait, wait_for
from gateway.holding.waiters import Waiters, open_waiters
from gateway.plan import Caller
from gateway.policy import WAIT_CAP_MAX_S
from gateway.record.errors import UnknownObject
from gateway.record.payloads import ObjectStore
from gateway.reply import Reply
from gateway.store import cases, predictions
from gateway.store.ledger import Ledger
from gateway.store.predictions import KeptPrediction
from gateway.times import now_us


class Holds:
    """The holds of this process; made by `open_holds`."""

    def __init__(
        self,
        ledger: Ledger,
        objects: ObjectStore,
        waiters: Waiters,
        telling: Telling,
        automated: AutomatedPredictions | None,
    ) -> None:
        self.ledger = ledger
        self.objects = objects
        self._waiters = waiters
        self._telling = telling
        self._automated = automated
        self._leaving: set[asyncio.Task[None]] = set()

    def open_count(self, model_id: UUID) -> int:
        """How many holds of a model are open, in all processes as of a second ago and in this one as of now."""
        return self._waiters.open_count(model_id)

    def waiting_count(self, model_id: UUID) -> int:
        """How many callers of a model wait in this process."""
        return self._waiters.waiting_count(model_id)

    def shut_down(self) -> None:
        """End every wait at once: who is not answered by now is told 503 with its URL."""
        self._waiters.close()

    async def close(self) -> None:
        """Wait until those who left are noted."""
        while self._leaving:
            await asyncio.wait(self._leaving)

    async def hold(self, held: HeldPrediction, claimed: ClaimedKey | None = None) -> Reply:
        """Put the held items before people, and answer once they have judged or the caller's wait is over.

        Cancel it when the caller hangs up: that ends the wait and nothing else, even while the hold is being opened.
        Raises: LedgerUnavailable, ObjectsUnavailable.
        """
        prediction = decided(held)
        wait = wait_for(held.asked, held.decision.policy.wait_cap_s, held.decided_us)
        at_once = tell_held(prediction.said) if wait.until_us <= held.decided_us and wait.then == "async" else None
        opening = asyncio.create_task(self._open(prediction, wait, at_once, claimed))
        try:
            opened = await asyncio.shield(opening)
            if at_once is not None and not opened.joined:
                return with_header(at_once.reply, "Preference-Applied", wait.preference_applied)
            said = msgspec.structs.replace(prediction.said, prediction_id=opened.prediction_id)
            return await self._tell(said, prediction.model_id, Listener(wait=wait))
        except asyncio.CancelledError:
            self._note(self._leave(opening, wait))
            raise

    async def meet(self, prediction_id: UUID, caller: Caller, asked: Asked) -> Reply:
        """Tell a hold's current truth to a caller who came back to it with its Idempotency-Key, waiting as it asks.

        Raises: UnknownPrediction, LedgerUnavailable.
        """
        kept = await self.kept(prediction_id)
        if kept is None or kept.api_key_id != caller.key_id:
            raise UnknownPrediction
        said = await self.said(kept)
        if said is None:
            return await self._gone(prediction_id)
        said = msgspec.structs.replace(said, request_id=asked.request_id, binary=asked.binary)
        return await self._tell(said, kept.model_id, Listener(wait=wait_for(asked, said.policy.wait_cap_s, now_us())))

    async def get(self, prediction_id: UUID, caller: Caller, asked: Asked) -> Reply:
        """The latest truth of a prediction, held or not; waits for a held one as long as `asked` says, 50 s at most.

        Raises: UnknownPrediction, Gone, LedgerUnavailable.
        """
        wait = wait_for(msgspec.structs.replace(asked, respond_async=True), WAIT_CAP_MAX_S, now_us())
        kept = await self.kept(prediction_id)
        if kept is None:
            said = (await self.automated(prediction_id, caller)).said
            return tell_truth(_as_asked(said, asked), Truth(kind="automated")).reply
        if not may_read(kept, caller):
            raise UnknownPrediction
        found = await self.said(kept)
        if found is None:
            return await self._gone(prediction_id)
        own = kept.api_key_id == caller.key_id
        listener = Listener(wait=wait, caller=own, asks_again=True)
        return await self._tell(_as_asked(found, asked), kept.model_id, listener)

    async def automated(self, prediction_id: UUID, caller: Caller) -> DecidedPrediction:
        """A prediction that only the traffic log has. Raises: UnknownPrediction, Gone."""
        found = await self._automated.find_automated(prediction_id) if self._automated is not None else None
        if found is None or found.tenant_id != caller.tenant_id:
            raise UnknownPrediction
        model = found.model if isinstance(found, Unkept) else found.said.model
        if found.api_key_id != caller.key_id and not caller.may("read", model):
            raise UnknownPrediction
        if isinstance(found, Unkept):
            raise Gone(why=found.why)
        return found

    async def _open(
        self, prediction: DecidedPrediction, wait: Wait, at_once: Told | None, claimed: ClaimedKey | None
    ) -> Opened:
        opening = HoldOpening(
            wait_until_us=None if at_once is not None else wait.until_us,
            told=None if at_once is None else delivery(prediction.id, at_once, 1),
            claimed=claimed,
        )
        opened = await open_hold(self.ledger, self.objects, prediction, opening)
        if not opened.joined:
            self._waiters.note_opened(prediction.model_id)
        return opened

    async def _tell(self, said: Answered, model_id: UUID, listener: Listener) -> Reply:
        reply = await self._telling.tell(said, model_id, listener)
        return with_header(reply, "Preference-Applied", listener.wait.preference_applied)

    async def kept(self, prediction_id: UUID) -> KeptPrediction | None:
        """What the ledger has of a prediction. Raises: LedgerUnavailable."""
        async with self.ledger.reading() as r:
            return await predictions.read_prediction(r, prediction_id)

    async def said(self, kept: KeptPrediction) -> Answered | None:
        """What the model said; None where it is no longer kept."""
        if kept.output_sha256 is None:
            return None
        try:
            return decode_answered(await self.objects.get(kept.output_sha256))
        except UnknownObject:
            return None

    async def _gone(self, prediction_id: UUID) -> Reply:
        """410, with the reason why the payload is not there."""
        truth = truth_of(await self._telling.see(prediction_id))
        return tell_gone(prediction_id, truth.gone_why if truth.kind == "gone" else "past retention").reply

    def _note(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _leave(self, opening: "asyncio.Task[Opened]", wait: Wait) -> None:
        """Show on the cases that the caller has gone, unless another one waits for them."""
        with suppress(GatewayError):
            prediction_id = (await opening).prediction_id
            if self._waiters.waits_for(prediction_id):
                return
            async with self.ledger.writing() as w:
                if await predictions.is_last_to_wait(w, prediction_id, wait.until_us):
                    await cases.set_waiting(w, [prediction_id], waiting=False)


def _as_asked(said: Answered, asked: Asked) -> Answered:
    """What the model said, for one who asks again: as JSON, however its caller took it."""
    return msgspec.structs.replace(said, binary=asked.binary)


def may_read(kept: KeptPrediction, caller: Caller) -> bool:
    """Whether the prediction is the key's own, or of a model whose predictions it may read."""
    if kept.tenant_id != caller.tenant_id:
        return False
    return kept.api_key_id == caller.key_id or caller.may("read", kept.model)


@asynccontextmanager
async def open_holds(
    ledger: Ledger, objects: ObjectStore, *, public_url: str, automated: AutomatedPredictions | None = None
) -> AsyncIterator[Holds]:
    """The holds of this process. At the end every wait is over and everything told is recorded."""
    deliveries = Deliveries(ledger)
    async with open_waiters(ledger) as waiters:
        holds = Holds(ledger, objects, waiters, Telling(ledger, waiters, deliveries, public_url), automated)
        try:
            yield holds
        finally:
            holds.shut_down()
            await holds.close()
            await deliveries.close()
