"""What a caller may do about a prediction beside asking for it: withdraw its interest, or report that it is wrong."""

from contextlib import suppress
from typing import Literal
from uuid import UUID

import msgspec

from gateway.decision import SettledItem
from gateway.errors import Gone, UnknownPrediction
from gateway.holding.decided import keep_payloads
from gateway.holding.errors import AlreadyDelivered, ReasonRefused
from gateway.holding.holds import Holds, may_read
from gateway.holding.later import ensure_rows, open_missing, subject_of
from gateway.holding.payload import Answered
from gateway.plan import Caller
from gateway.store import cases, predictions
from gateway.store.ledger import WriteSession

REASON_MAX_CHARACTERS = 2_000


async def cancel(holds: Holds, prediction_id: UUID, caller: Caller) -> None:
    """The caller wants nothing any more. What nobody has begun is closed; what is being judged goes on without it.

    Raises: UnknownPrediction, AlreadyDelivered, LedgerUnavailable.
    """
    async with holds.ledger.writing() as w:
        kept = await predictions.read_prediction(w, prediction_id)
        if kept is not None:
            if kept.api_key_id != caller.key_id:
                raise UnknownPrediction
            await _cancel(w, prediction_id, caller)
            return
    with suppress(Gone):  # it was answered, whether that is kept or not
        await holds.automated(prediction_id, caller)
    raise AlreadyDelivered


async def _cancel(w: WriteSession, prediction_id: UUID, caller: Caller) -> None:
    held = await cases.lock_holds(w, prediction_id)
    await predictions.lock_predictions(w, [prediction_id])
    seen = (await predictions.see(w, [prediction_id]))[prediction_id]
    if not held or any(delivery.answered for delivery in seen.deliveries):
        raise AlreadyDelivered
    by, tenant_id = f"key:{caller.key_name}", caller.tenant_id
    for case in held:
        if case.state == "open":
            await cases.cancel_case(w, case, by=by, tenant_id=tenant_id, now_us=seen.now_us)
        elif case.state in ("claimed", "partial"):
            await cases.withdraw_case(w, case, by=by, tenant_id=tenant_id, now_us=seen.now_us)
    await cases.set_waiting(w, [prediction_id], waiting=False)
    if any(case.state == "open" for case in held):
        await predictions.close_predictions(w, [prediction_id], cancelled_us=seen.now_us)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller says is wrong."""

    reason: str
    item: int = 1


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """That a case of kind `report` is open about an item, or already was."""

    prediction_id: UUID
    item: int
    kind: Literal["report"] = "report"


async def report(holds: Holds, prediction_id: UUID, caller: Caller, wrong: Report) -> Reported:
    """People will look at this item again.

    Raises: UnknownPrediction, ReasonRefused, Gone, LedgerUnavailable, ObjectsUnavailable.
    """
    kept = await holds.kept(prediction_id)
    if kept is not None and not may_read(kept, caller):
        raise UnknownPrediction
    logged = await holds.automated(prediction_id, caller) if kept is None else None
    said = logged.said if logged is not None else await holds.said(kept) if kept is not None else None
    if said is None:
        raise Gone(why="erased")
    _check(wrong, said.items)
    payloads = await keep_payloads(holds.objects, logged) if logged is not None else None
    async with holds.ledger.writing() as w:
        if logged is not None and payloads is not None:
            await ensure_rows(w, logged, payloads)
        now_us = await w.now_us()
        subject = logged.subject if logged is not None else await subject_of(w, prediction_id)
        if subject is None:
            raise UnknownPrediction
        await open_missing(w, subject, [_reported(said, wrong)], "report", by=f"key:{caller.key_name}", now_us=now_us)
    return Reported(prediction_id=prediction_id, item=wrong.item)


def _check(wrong: Report, items: int) -> None:
    if not 0 < len(wrong.reason.strip()) <= REASON_MAX_CHARACTERS or not 1 <= wrong.item <= items:
        raise ReasonRefused(limit=REASON_MAX_CHARACTERS, items=items)


def _reported(said: Answered, wrong: Report) -> SettledItem:
    """The item with the reason in the place of a rule's numbers."""
    return SettledItem(
        item=wrong.item,
        held=False,
        rule=said.held.get(wrong.item, said.rule),
        evidence={"reason": wrong.reason.strip()},
        answer=said.answers[wrong.item - 1],
        score=None,
    )
