"""Truth that arrives later, found and recorded: each entry names a prediction of the ledger or of the traffic log.

An entry is a transaction of its own: what is wrong with one keeps no other from being recorded.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from uuid import UUID

import msgspec
from sqlalchemy.exc import IntegrityError

from gateway.errors import BadRequest
from gateway.holding.arriving import ArrivedTruth, Became, TruthBatch, TruthReceipt, TruthReceipts
from gateway.holding.decided import DecidedPrediction, Unkept, keep_payloads
from gateway.holding.later import ensure_rows
from gateway.holding.payload import Answered, decode_answered
from gateway.record.errors import DamagedObject, UnknownObject
from gateway.record.payloads import ObjectStore
from gateway.store.events import append_event
from gateway.store.ledger import Ledger
from gateway.store.predictions import read_prediction
from review.desk.ground_truth import Arrival, GroundTruth, record_ground_truth
from review.logged import find_logged
from review.store.outcomes import requested_as
from review.traffic.query import TrafficReader

_TRIES = 3


class Unrecordable(Exception):
    """An entry comes to nothing: the result that its receipt tells, and why."""

    def __init__(self, result: Became, detail: str) -> None:
        super().__init__(detail)
        self.result = result


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction that an entry names."""

    said: Answered
    logged: DecidedPrediction | None
    """Where only the traffic log has it."""


class Recorder:
    """Records the entries of one batch."""

    def __init__(self, ledger: Ledger, traffic: TrafficReader, objects: ObjectStore, batch: TruthBatch) -> None:
        self._ledger = ledger
        self._traffic = traffic
        self._objects = objects
        self._batch = batch

    async def record_all(self) -> TruthReceipts:
        """What became of each entry. Raises: LedgerUnavailable, ObjectsUnavailable."""
        named = {entry.request_id for entry in self._batch.entries if entry.request_id is not None}
        predictions = await self._requested(named) if named else {}
        receipts = [await self._receipt(entry, predictions) for entry in self._batch.entries]
        await self._tell(receipts)
        return TruthReceipts(outcomes=tuple(receipts))

    async def _tell(self, receipts: Sequence[TruthReceipt]) -> None:
        """Tell of the batch once for each source, for whoever follows the model; each truth has its own event, too."""
        new = [
            (entry.source, receipt.result)
            for entry, receipt in zip(self._batch.entries, receipts, strict=True)
            if receipt.result in ("recorded", "conflict")
        ]
        if not new:
            return
        async with self._ledger.writing() as w:
            for source in dict.fromkeys(source for source, _ in new):
                results = [result for one, result in new if one == source]
                data = {"source": source, "items": len(results), "conflicts": results.count("conflict")}
                await append_event(
                    w, "truth.arrived", f"model:{self._batch.model}", data,
                    by=self._batch.by, tenant_id=self._batch.tenant_id, at_us=await w.now_us(),
                )  # fmt: skip

    async def _requested(self, requests: Collection[str]) -> Mapping[str, set[UUID]]:
        """The model's predictions by the request ids of their callers."""
        batch = self._batch
        async with self._ledger.reading() as r:
            found = await requested_as(r, batch.tenant_id, batch.model, requests)
        for request, logged in (
            await self._traffic.find_requests(batch.tenant_id, batch.model, sorted(requests))
        ).items():
            found.setdefault(request, set()).update(logged)
        return found

    async def _receipt(self, entry: ArrivedTruth, predictions: Mapping[str, set[UUID]]) -> TruthReceipt:
        try:
            prediction_id = _named(entry, predictions)
            arrival = await self._record(prediction_id, entry)
        except Unrecordable as error:
            return TruthReceipt(
                result=error.result, prediction_id=entry.prediction_id, item=entry.item, detail=str(error)
            )
        return TruthReceipt(
            result="already-known" if arrival.known else "conflict" if arrival.conflict else "recorded",
            prediction_id=prediction_id,
            item=entry.item,
            outcome_revision=arrival.revision,
            truth=arrival.truth,
            case_id=arrival.case_id,
        )

    async def _record(self, prediction_id: UUID, entry: ArrivedTruth) -> Arrival:
        """What became of an entry about a prediction. Raises: Unrecordable."""
        found = await self._find(prediction_id)
        if entry.item > found.said.items:
            detail = f"This prediction has items 1 to {found.said.items}, and no item {entry.item}."
            raise Unrecordable("unknown-item", detail)
        try:
            answer = found.said.labels.validated(entry.answer)
        except BadRequest as error:
            raise Unrecordable("invalid-answer", str(error)) from error
        arrived = GroundTruth(
            said=found.said, item=entry.item, answer=answer, source=entry.source,
            tenant_id=self._batch.tenant_id, by=self._batch.by,
        )  # fmt: skip
        for _ in range(_TRIES - 1):
            # The same prediction's rows may be written meanwhile for an audit or a report: the next try finds them.
            with suppress(IntegrityError):
                return await self._write(arrived, found.logged)
        return await self._write(arrived, found.logged)

    async def _write(self, arrived: GroundTruth, logged: DecidedPrediction | None) -> Arrival:
        payloads = await keep_payloads(self._objects, logged) if logged is not None else None
        async with self._ledger.writing() as w:
            if logged is not None and payloads is not None:
                await ensure_rows(w, logged, payloads)
            return await record_ground_truth(w, arrived)

    async def _find(self, prediction_id: UUID) -> Found:
        """The prediction in the ledger or in the traffic log. Raises: Unrecordable."""
        async with self._ledger.reading() as r:
            kept = await read_prediction(r, prediction_id)
        if kept is None:
            return await self._find_logged(prediction_id)
        if (kept.tenant_id, kept.model) != (self._batch.tenant_id, self._batch.model):
            raise _unknown(self._batch.model)
        if kept.output_sha256 is None:
            raise Unrecordable("gone", "This prediction was erased and is no longer kept.")
        try:
            said = decode_answered(await self._objects.get(kept.output_sha256))
        except (UnknownObject, DamagedObject) as error:
            raise Unrecordable("gone", "What the model said about this prediction is no longer kept.") from error
        return Found(said=said, logged=None)

    async def _find_logged(self, prediction_id: UUID) -> Found:
        found = await find_logged(self._ledger, self._traffic, self._objects, prediction_id)
        batch, model = self._batch, found.model if isinstance(found, Unkept) else found and found.said.model
        if found is None or (found.tenant_id, model) != (batch.tenant_id, batch.model):
            raise _unknown(batch.model)
        if isinstance(found, Unkept):
            raise Unrecordable("gone", f"This prediction was {found.why} and is no longer kept.")
        return Found(said=found.said, logged=found)


async def record_truths(
    ledger: Ledger, traffic: TrafficReader, objects: ObjectStore, batch: TruthBatch
) -> TruthReceipts:
    """What became of each entry of the batch. Raises: LedgerUnavailable, ObjectsUnavailable."""
    return await Recorder(ledger, traffic, objects, batch).record_all()


def _named(entry: ArrivedTruth, predictions: Mapping[str, set[UUID]]) -> UUID:
    """The prediction that an entry names. Raises: Unrecordable."""
    if entry.prediction_id is not None:
        return entry.prediction_id
    found = predictions.get(entry.request_id or "", set())
    if len(found) == 1:
        return next(iter(found))
    if found:
        detail = (
            "Several predictions of this model were asked for under this request id; name one by its prediction_id."
        )
        raise Unrecordable("ambiguous-request", detail)
    raise Unrecordable("unknown-prediction", "No prediction of this model was asked for under this request id.")


def _unknown(model: str) -> Unrecordable:
    return Unrecordable("unknown-prediction", f"Model '{model}' has no prediction with this id that is still kept.")
