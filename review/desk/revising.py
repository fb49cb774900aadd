"""Tells that a delivered answer is contradicted: `prediction.revised`, exactly when a new truth differs from it."""

from uuid import UUID

import msgspec

from gateway.labels import Answer, LabelSchema
from gateway.policy import Policy
from gateway.store.events import append_event
from gateway.store.ledger import WriteSession
from review.desk.revised import TellingOf, revises, told_about
from review.store.outcomes import Outcome, Prediction, known_truth, last_told, released_outcome


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be known of a prediction to say what its caller was told about an item."""

    prediction: Prediction
    tenant_id: UUID
    answer: Answer | None
    """What was answered about the item without people."""
    schema: LabelSchema
    policy: Policy


async def tell_revision(w: WriteSession, told: Told, outcome: Outcome, *, by: str) -> bool:
    """Append `prediction.revised` if this outcome is true now and contradicts what was told; whether it did.

    The outcome is written already. One that a higher rank outranks changes nothing for the caller.
    """
    truth = await known_truth(w, outcome.prediction_id, outcome.item)
    if truth is None or truth.revision != outcome.revision:
        return False
    if not revises(await _telling(w, told, outcome), outcome.answer, told.schema):
        return False
    data = {"item": outcome.item, "revision": outcome.revision, "release_after_us": outcome.release_after_us}
    await append_event(
        w, "prediction.revised", f"prediction:{outcome.prediction_id}", data,
        by=by, tenant_id=told.tenant_id, at_us=outcome.created_us,
    )  # fmt: skip
    return True


async def _telling(w: WriteSession, told: Told, outcome: Outcome) -> TellingOf | None:
    """What the caller was told last about the item."""
    delivery = await last_told(w, outcome.prediction_id)
    before = None
    if delivery is not None:
        before = await released_outcome(w, outcome.prediction_id, outcome.item, delivery.delivered_us)
    return told_about(
        delivery.kind if delivery else None,
        automated=told.prediction.path != "review",
        model_answer=told.answer,
        policy=told.policy,
        released=None if before is None else TellingOf(answer=before.answer),
    )
