"""The SQL of predictions that need people, and of their payload rows."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import BindParameter, bindparam, case, func, insert, select, text, update

from gateway.holding.seen import WITH_PEOPLE, CaseSeen, DeliverySeen, Seen
from gateway.ids import new_id
from gateway.record.objects import StoredObject
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.looks import Look
from gateway.store.outcomes import outcomes_seen
from gateway.store.schema.predictions import DeliveryRow, Path, PayloadRow, PredictionRow
from gateway.store.schema.serves import ModelRow
from gateway.store.schema.work import CaseRow, OutcomeRow


class NewPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction that is about to be put before people."""

    id: UUID
    tenant_id: UUID
    api_key_id: UUID
    model_id: UUID
    release_id: UUID
    flag_state: str | None
    request_id: str | None
    decided_path: Path
    path: Path
    decided_rule: str
    rule: str
    facts: Mapping[str, str | float | bool]
    items: int
    open: bool
    input_digest: str
    input_payload_id: UUID | None
    output_payload_id: UUID | None
    wait_until_us: int | None
    log_position: tuple[str, int] | None
    created_us: int


class KeptPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says about who may see a prediction and where its payload is."""

    id: UUID
    tenant_id: UUID
    api_key_id: UUID
    model_id: UUID
    model: str
    release_id: UUID
    path: Path
    items: int
    output_sha256: str | None
    """The digest of what the model said; none once it was erased."""
    created_us: int


async def insert_prediction(w: WriteSession, new: NewPrediction) -> None:
    """Write the row. An equal open hold of the same caller is refused by its unique index."""
    values = {name: getattr(new, name) for name in new.__struct_fields__ if name not in ("facts", "log_position")}
    segment, offset = new.log_position or (None, None)
    await w.execute(
        insert(PredictionRow).values(
            **values,
            facts=msgspec.json.encode(new.facts).decode(),
            cancelled_us=None,
            log_segment=segment,
            log_offset=offset,
        )
    )


async def insert_payload(
    w: WriteSession, tenant_id: UUID, kept: StoredObject, *, media_type: str, expires_us: int, now_us: int
) -> UUID:
    """Write the row of an object that is already stored; returns its id."""
    payload_id = new_id()
    await w.execute(
        insert(PayloadRow).values(
            id=payload_id,
            tenant_id=tenant_id,
            sha256=kept.sha256,
            location=kept.location,
            bytes=kept.bytes,
            media_type=media_type,
            expires_us=expires_us,
            legal_hold=False,
            erased_us=None,
            created_us=now_us,
        )
    )
    return payload_id


async def find_equal(
    w: WriteSession, *, tenant_id: UUID, api_key_id: UUID, model_id: UUID, release_id: UUID, input_digest: str
) -> UUID | None:
    """The open hold of the same caller, model, release and equal input, or else its latest that was decided."""
    statement = (
        select(PredictionRow.id)
        .where(
            PredictionRow.api_key_id == api_key_id,
            PredictionRow.input_digest == input_digest,
            PredictionRow.tenant_id == tenant_id,
            PredictionRow.model_id == model_id,
            PredictionRow.release_id == release_id,
        )
        .order_by(PredictionRow.open.desc(), PredictionRow.created_us.desc())
        .limit(1)
    )
    return (await w.execute(statement)).scalar_one_or_none()


async def lock_predictions(w: WriteSession, ids: Collection[UUID]) -> dict[UUID, bool]:
    """Locks the rows in the order of their ids; whether each was cancelled, by id.

    Whoever locks cases too locks them first, as the desk does.
    """
    cancelled = PredictionRow.cancelled_us.is_not(None)
    statement = select(PredictionRow.id, cancelled).where(PredictionRow.id.in_(ids)).order_by(PredictionRow.id)
    locked = statement.with_for_update(key_share=True) if w.locks_rows else statement
    return {row[0]: row[1] for row in await w.execute(locked)}


async def read_prediction(r: ReadSession, prediction_id: UUID) -> KeptPrediction | None:
    """The prediction, if the ledger has it."""
    statement = (
        select(
            PredictionRow.id,
            PredictionRow.tenant_id,
            PredictionRow.api_key_id,
            PredictionRow.model_id,
            ModelRow.name.label("model"),
            PredictionRow.release_id,
            PredictionRow.path,
            PredictionRow.items,
            case((PayloadRow.erased_us.is_(None), PayloadRow.sha256)).label("output_sha256"),
            PredictionRow.created_us,
        )
        .join(ModelRow, ModelRow.id == PredictionRow.model_id)
        .outerjoin(PayloadRow, PayloadRow.id == PredictionRow.output_payload_id)
        .where(PredictionRow.id == prediction_id)
    )
    row = (await r.execute(statement)).one_or_none()
    return KeptPrediction(**row._mapping) if row is not None else None


async def extend_wait(w: WriteSession, prediction_id: UUID, until_us: int) -> None:
    """Note that a caller waits until then, unless one already waits longer."""
    later = func.coalesce(PredictionRow.wait_until_us, 0) < until_us
    await w.execute(
        update(PredictionRow).where(PredictionRow.id == prediction_id, later).values(wait_until_us=until_us)
    )


async def is_last_to_wait(w: WriteSession, prediction_id: UUID, until_us: int) -> bool:
    """Whether nobody waits for the prediction longer than until then."""
    statement = select(PredictionRow.wait_until_us).where(PredictionRow.id == prediction_id)
    return ((await w.execute(statement)).scalar_one_or_none() or 0) <= until_us


async def close_predictions(w: WriteSession, ids: Collection[UUID], *, cancelled_us: int | None = None) -> None:
    """No retry joins these any more."""
    if not ids:
        return
    values: dict[str, Any] = {"open": False}
    if cancelled_us is not None:
        values["cancelled_us"] = cancelled_us
    await w.execute(update(PredictionRow).where(PredictionRow.id.in_(ids)).values(values))


_OPEN = Look(select(PredictionRow.model_id).where(text("open")), indexed=False)
"""Counted here, for grouped by the database it would read every prediction there ever was."""


async def count_open(ledger: Ledger) -> dict[UUID, int]:
    """How many holds are open, by model. Raises: LedgerUnavailable."""
    counted = Counter(model_id for (model_id,) in await ledger.look(_OPEN))
    return {UUID(bytes=id_) if isinstance(id_, bytes) else id_: count for id_, count in counted.items()}


async def decided_holds(r: ReadSession, ids: Collection[UUID]) -> dict[UUID, int | None]:
    """Those of the holds of which no item is with people, each with the last release of an outcome, in one query."""
    return {row[0]: row[1] for row in await r.execute(_DECIDED, {"ids": list(ids)})}


# What the caller's view is derived from -------------------------------------------------------------------------------


async def see(r: ReadSession, ids: Collection[UUID]) -> dict[UUID, Seen]:
    """What the ledger says now about each of these predictions that it has."""
    now_us = await r.now_us()
    outcomes, deliveries = await outcomes_seen(r, ids), await _deliveries(r, ids)
    found: dict[UUID, Seen] = {}
    for row in await r.execute(_CASES, {"ids": list(ids)}):
        before = found.get(row.id) or Seen(
            now_us=now_us,
            outcomes=tuple(outcomes.get(row.id, ())),
            deliveries=tuple(deliveries.get(row.id, ())),
            cancelled=row.cancelled_us is not None,
            erased=row.erased_us is not None,
            past_retention=row.expires_us is not None and row.expires_us <= now_us and not row.legal_hold,
        )
        cases = before.cases if row.case_id is None else (*before.cases, _case(row))
        found[row.id] = msgspec.structs.replace(before, cases=cases)
    return found


def _case(row: Any) -> CaseSeen:
    return CaseSeen(**{name: getattr(row, f"case_{name}") for name in CaseSeen.__struct_fields__})


async def _deliveries(r: ReadSession, ids: Collection[UUID]) -> dict[UUID, list[DeliverySeen]]:
    found: dict[UUID, list[DeliverySeen]] = {}
    for prediction_id, n, kind, revision in await r.execute(_DELIVERIES, {"ids": list(ids)}):
        found.setdefault(prediction_id, []).append(DeliverySeen(n=n, kind=kind, outcome_revision=revision))
    return found


# Statements are made once: making them anew would cost as much as running them, while a caller waits. They name
# plain tables, because a statement on mapped classes takes the longer way through the session.

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_PREDICTION, _PAYLOAD = PredictionRow.__table__.c, PayloadRow.__table__.c
_CASE, _OUTCOME = CaseRow.__table__.c, OutcomeRow.__table__.c
_DELIVERY = DeliveryRow.__table__.c

_DECIDED = (
    select(_CASE.prediction_id, func.max(_OUTCOME.release_after_us))
    .outerjoin(OutcomeRow.__table__, (_OUTCOME.prediction_id == _CASE.prediction_id) & (_OUTCOME.item == _CASE.item))
    .where(_CASE.prediction_id.in_(_IDS), _CASE.kind == "hold")
    .group_by(_CASE.prediction_id)
    .having(func.sum(case((_CASE.state.in_(sorted(WITH_PEOPLE)), 1), else_=0)) == 0)
)

_CASES = (
    select(
        _PREDICTION.id,
        _PREDICTION.cancelled_us,
        _PAYLOAD.erased_us,
        _PAYLOAD.expires_us,
        _PAYLOAD.legal_hold,
        *(_CASE[name].label(f"case_{name}") for name in CaseSeen.__struct_fields__),
    )
    .outerjoin(PayloadRow.__table__, _PAYLOAD.id == _PREDICTION.output_payload_id)
    .outerjoin(CaseRow.__table__, _CASE.prediction_id == _PREDICTION.id)
    .where(_PREDICTION.id.in_(_IDS))
    .order_by(_CASE.item)
)
"""Each prediction with each of its cases; one without a case comes once."""

_DELIVERIES = (
    select(_DELIVERY.prediction_id, _DELIVERY.n, _DELIVERY.kind, _DELIVERY.outcome_revision)
    .where(_DELIVERY.prediction_id.in_(_IDS))
    .order_by(_DELIVERY.n)
)
