"""Opens holds: payload objects first, then all rows and events in one transaction.

A hold is in the ledger before its caller waits or is told. An equal request of the same caller joins the open hold,
whichever of the two comes first.
"""

from contextlib import suppress
from uuid import UUID

import msgspec
from sqlalchemy.exc import IntegrityError

from gateway.decision import public_rule
from gateway.holding.decided import DecidedPrediction, Payloads, insert_rows, keep_payloads, new_case
from gateway.holding.idempotency import ClaimedKey
from gateway.holding.seen import Seen
from gateway.holding.tell import prediction_url
from gateway.holding.truth import truth_of
from gateway.record.payloads import ObjectStore
from gateway.store import cases, deliveries, predictions
from gateway.store.deliveries import NewDelivery
from gateway.store.events import append_event
from gateway.store.ledger import Ledger, WriteSession
from gateway.times import after_us

JOIN_AFTER_RELEASE_S = 60.0
"""How long an answer that nobody was told waits for its caller's retry."""
_TRIES = 3


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The hold that a request is in: its own, or an open one that it joined."""

    prediction_id: UUID
    joined: bool


class HoldOpening(msgspec.Struct, frozen=True, kw_only=True):
    """What is written with a hold beside the prediction itself."""

    wait_until_us: int | None
    """Until when its caller waits; none when it does not."""
    told: NewDelivery | None = None
    """What its caller is told at once, for a hold of its own."""
    claimed: ClaimedKey | None = None
    """The caller's Idempotency-Key, bound to the hold in the same transaction."""


async def open_hold(
    ledger: Ledger, objects: ObjectStore, prediction: DecidedPrediction, opening: HoldOpening
) -> Opened:
    """Open a hold with a case for each held item, or join the open one.

    Raises: LedgerUnavailable, ObjectsUnavailable.
    """
    kept = await keep_payloads(objects, prediction)
    for _ in range(_TRIES - 1):
        # An equal request may be inserted meanwhile by another process: then the next try joins it.
        with suppress(IntegrityError):
            return await _open_once(ledger, prediction, kept, opening)
    return await _open_once(ledger, prediction, kept, opening)


async def _open_once(ledger: Ledger, prediction: DecidedPrediction, kept: Payloads, opening: HoldOpening) -> Opened:
    async with ledger.writing() as w:
        opened = await _join(w, prediction, opening) or await _open(w, prediction, kept, opening)
        if opening.claimed is not None:
            await opening.claimed.bind_in(w, opened.prediction_id)
    if opening.claimed is not None:
        opening.claimed.bound()
    return opened


async def _join(w: WriteSession, prediction: DecidedPrediction, opening: HoldOpening) -> Opened | None:
    """The hold that this request is a retry of: an open one, or one whose answer nobody was told."""
    found = await predictions.find_equal(
        w,
        tenant_id=prediction.tenant_id,
        api_key_id=prediction.api_key_id,
        model_id=prediction.model_id,
        release_id=prediction.release_id,
        input_digest=prediction.input_digest,
    )
    if found is None:
        return None
    if not may_be_joined((await predictions.see(w, [found]))[found]):
        await predictions.close_predictions(w, [found])
        return None
    if opening.wait_until_us is not None:
        await cases.set_waiting(w, [found], waiting=True)
        await predictions.extend_wait(w, found, opening.wait_until_us)
    return Opened(prediction_id=found, joined=True)


def may_be_joined(seen: Seen) -> bool:
    """Whether a retry is told about this hold: it is held, or was settled a moment ago and nobody was told."""
    truth = truth_of(seen)
    if truth.kind == "held":
        return True
    if truth.kind not in ("settled", "unanswerable") or any(delivery.answered for delivery in seen.deliveries):
        return False
    released_us = max(outcome.release_after_us for outcome in truth.outcomes.values())
    return seen.now_us <= after_us(released_us, JOIN_AFTER_RELEASE_S)


async def _open(w: WriteSession, prediction: DecidedPrediction, kept: Payloads, opening: HoldOpening) -> Opened:
    said = prediction.said
    await insert_rows(w, prediction, kept, open_=True, wait_until_us=opening.wait_until_us)
    held = [item for item in prediction.items if item.held]
    waits = opening.wait_until_us is not None
    new = [new_case(prediction.subject, item, "hold", said.decided_us, caller_waiting=waits) for item in held]
    await cases.open_cases(w, new, by="gateway", now_us=said.decided_us)
    if opening.told is not None:
        await deliveries.insert_deliveries(w, [opening.told], said.decided_us)
    await append_event(
        w,
        "prediction.held",
        f"prediction:{said.prediction_id}",
        {
            "model": said.model,
            "release": said.release,
            "rule": public_rule(said.rule),
            "items": [item.item for item in held],
            "url": prediction_url(said.prediction_id),
        },
        by="gateway",
        tenant_id=prediction.tenant_id,
        at_us=said.decided_us,
    )
    return Opened(prediction_id=said.prediction_id, joined=False)
