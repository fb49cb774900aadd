"""Cases about predictions that were answered already; where only the traffic log has one, its row comes first."""

from collections.abc import Iterable, Mapping
from typing import Protocol
from uuid import UUID

import msgspec

from gateway.decision import SettledItem
from gateway.holding.decided import DecidedPrediction, Payloads, Subject, Unkept, insert_rows, new_case
from gateway.holding.payload import Status
from gateway.holding.seen import CaseKind, DeliveryKind
from gateway.labels import Answer
from gateway.store import cases, deliveries, predictions
from gateway.store.cases import NewCase
from gateway.store.deliveries import NewDelivery
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.queues import queue_plan
from gateway.trial import OTHER, trial_rule

_KINDS: Mapping[Status, DeliveryKind] = {
    "automated": "answer",
    "precedent": "answer",
    "fallback": "fallback",
    "refused": "refusal",
}


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """An item about which two releases differ, and that was drawn to be put before people."""

    item: int
    answer: Answer | None
    """What the release in the shadow says."""
    draw: float


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial's other release said beside an answer."""

    trial_id: UUID
    release_id: UUID
    """The release in the shadow."""
    probability: float
    differences: tuple[Difference, ...]


class AutomatedPredictions(Protocol):
    """Finds predictions that only the traffic log has."""

    async def find_automated(self, prediction_id: UUID) -> DecidedPrediction | Unkept | None:
        """The prediction as it was answered, `said.outputs` being what its caller was told, or why that is not kept."""
        ...


async def open_audits(w: WriteSession, prediction: DecidedPrediction, kept: Payloads) -> list[UUID]:
    """Open an audit case for each drawn item that has none yet; the new cases. Doing it twice does it once."""
    now_us = await ensure_rows(w, prediction, kept)
    drawn = [item for item in prediction.items if item.audited]
    return await open_missing(w, prediction.subject, drawn, "audit", by="worker", now_us=now_us)


async def open_disagreements(
    w: WriteSession, prediction: DecidedPrediction, kept: Payloads, compared: Compared
) -> list[UUID]:
    """Open a case with both answers for each drawn difference that has none yet; doing it twice does it once."""
    now_us = await ensure_rows(w, prediction, kept)
    there = await cases.opened_items(w, prediction.id, "disagreement")
    items = {item.item: item for item in prediction.items}
    new = [
        _disagreement(new_case(prediction.subject, items[found.item], "disagreement", now_us), compared, found)
        for found in compared.differences
        if found.item in items and found.item not in there
    ]
    return await cases.open_cases(w, new, by="worker", now_us=now_us)


def _disagreement(case: NewCase, compared: Compared, found: Difference) -> NewCase:
    """The case with the other answer beside its own; it is never blind, because it shows both without their names."""
    return msgspec.structs.replace(
        case,
        other_release_id=compared.release_id,
        rule=trial_rule(compared.trial_id),
        evidence={} if found.answer is None else {OTHER: found.answer},
        inclusion_probability=compared.probability,
        draw=found.draw,
        blind=False,
    )


async def ensure_rows(w: WriteSession, prediction: DecidedPrediction, kept: Payloads) -> int:
    """Write the prediction's rows and what its caller was told, where they are missing; the database's time."""
    if not await predictions.lock_predictions(w, [prediction.id]):
        await insert_rows(w, prediction, kept, open_=False, wait_until_us=None)
        if prediction.response_digest:
            await deliveries.insert_deliveries(w, [_first_delivery(prediction)], prediction.said.decided_us)
    return await w.now_us()


async def subject_of(r: ReadSession, prediction_id: UUID) -> Subject | None:
    """What a case about a prediction in the ledger is about: in the queue of its first case, else in its model's.

    None where the ledger has no such prediction.
    """
    kept = await predictions.read_prediction(r, prediction_id)
    if kept is None:
        return None
    queue = await cases.queue_of(r, prediction_id) or await queue_plan(r, kept.tenant_id, kept.model_id)
    if queue is None:
        return None
    return Subject(
        prediction_id=kept.id,
        tenant_id=kept.tenant_id,
        model_id=kept.model_id,
        release_id=kept.release_id,
        queue=queue,
    )


async def open_missing(
    w: WriteSession, subject: Subject, items: Iterable[SettledItem], kind: CaseKind, *, by: str, now_us: int
) -> list[UUID]:
    """Open a case of this kind for each of the items that has none yet; the new cases."""
    there = await cases.opened_items(w, subject.prediction_id, kind)
    new = [new_case(subject, item, kind, now_us) for item in items if item.item not in there]
    return await cases.open_cases(w, new, by=by, now_us=now_us)


def _first_delivery(prediction: DecidedPrediction) -> NewDelivery:
    """What its caller was told at once."""
    return NewDelivery(
        prediction_id=prediction.id,
        n=1,
        kind=_KINDS[prediction.said.status],
        outcome_revision=None,
        response_digest=prediction.response_digest,
    )
