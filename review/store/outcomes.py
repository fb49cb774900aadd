"""The SQL of outcomes: the settled answer of an item in dense revisions, what was told, and what follows from it."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, insert, select, update

from gateway.holding.ranking import truth_among
from gateway.holding.seen import OutcomeSeen
from gateway.holding.truth import truths_at
from gateway.labels import Answer
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.outcomes import outcomes_seen
from gateway.store.schema.learning import PrecedentRow
from gateway.store.schema.predictions import DeliveryKind, DeliveryRow, Path, PredictionRow
from gateway.store.schema.serves import ModelRow
from gateway.store.schema.work import OutcomeRow, OutcomeStatus, OutcomeUndoneRow, OutcomeVerdictRow


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The settled answer of an item."""

    prediction_id: UUID
    item: int
    revision: int
    case_id: UUID | None
    round: int | None
    source: str
    status: OutcomeStatus
    answer: Answer | None
    differs: bool | None
    """Whether it differs from the model's answer, as the label schema defines that."""
    release_after_us: int
    supersedes: int | None
    created_us: int


COLUMNS = [getattr(OutcomeRow, name) for name in Outcome.__struct_fields__]


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction, as far as settling its items is concerned."""

    id: UUID
    path: Path
    open: bool
    cancelled_us: int | None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The latest answer that a caller was told."""

    kind: DeliveryKind
    delivered_us: int


async def lock_prediction(w: WriteSession, prediction_id: UUID) -> Prediction:
    """The prediction, locked, so that its items settle one after the other. Lock the case first, then this."""
    columns = [getattr(PredictionRow, name) for name in Prediction.__struct_fields__]
    statement = select(*columns).where(PredictionRow.id == prediction_id)
    row = (await w.execute(statement.with_for_update() if w.locks_rows else statement)).one()
    return Prediction(**row._mapping)


async def outcomes_of(r: ReadSession, prediction_id: UUID, item: int) -> list[Outcome]:
    """The revisions of an item's outcome, the first one first."""
    statement = select(*COLUMNS).where(OutcomeRow.prediction_id == prediction_id, OutcomeRow.item == item)
    return [_outcome(row) for row in await r.execute(statement.order_by(OutcomeRow.revision))]


async def outcomes_on(r: ReadSession, verdict_id: UUID) -> list[Outcome]:
    """The outcomes that rest on a verdict."""
    on = (
        OutcomeVerdictRow.prediction_id == OutcomeRow.prediction_id,
        OutcomeVerdictRow.item == OutcomeRow.item,
        OutcomeVerdictRow.revision == OutcomeRow.revision,
    )
    statement = select(*COLUMNS).join(OutcomeVerdictRow, on[0] & on[1] & on[2])
    return [_outcome(row) for row in await r.execute(statement.where(OutcomeVerdictRow.verdict_id == verdict_id))]


async def insert_outcome(w: WriteSession, outcome: Outcome, verdicts: Sequence[UUID]) -> None:
    """Write a revision with the verdicts that it rests on."""
    values = msgspec.structs.asdict(outcome)
    values["answer"] = None if outcome.answer is None else msgspec.json.encode(outcome.answer).decode()
    await w.execute(insert(OutcomeRow).values(**values))
    key = {"prediction_id": outcome.prediction_id, "item": outcome.item, "revision": outcome.revision}
    for verdict_id in verdicts:
        await w.execute(insert(OutcomeVerdictRow).values(**key, verdict_id=verdict_id))


async def mark_undone(w: WriteSession, outcome: Outcome, *, by: str, why: str, at_us: int) -> None:
    """Note that the outcome's round was undone; one undone before its release is never released."""
    released = outcome.release_after_us <= at_us
    await w.execute(
        insert(OutcomeUndoneRow).values(
            prediction_id=outcome.prediction_id, item=outcome.item, revision=outcome.revision,
            by=by, why=why, released=released, undone_us=at_us,
        )
    )  # fmt: skip


async def released_outcome(r: ReadSession, prediction_id: UUID, item: int, at_us: int) -> OutcomeSeen | None:
    """The true one of an item's outcomes that had been released at a moment, if any."""
    seen = await outcomes_seen(r, [prediction_id])
    return truths_at(seen.get(prediction_id, ()), at_us).get(item)


async def known_truth(r: ReadSession, prediction_id: UUID, item: int) -> OutcomeSeen | None:
    """The true one of an item's outcomes, whether it is released already or will be, if any."""
    seen = (await outcomes_seen(r, [prediction_id])).get(prediction_id, ())
    return truth_among(one for one in seen if one.item == item and not one.never_released)


async def last_told(r: ReadSession, prediction_id: UUID) -> Told | None:
    """The latest delivery that said something about the answer, if any."""
    statement = (
        select(DeliveryRow.kind, DeliveryRow.delivered_us)
        .where(DeliveryRow.prediction_id == prediction_id)
        .where(DeliveryRow.kind.in_(("answer", "provisional", "fallback")) | DeliveryRow.outcome_revision.is_not(None))
        .order_by(DeliveryRow.n.desc())
        .limit(1)
    )
    row = (await r.execute(statement)).one_or_none()
    return None if row is None else Told(**row._mapping)


async def close_joining(w: WriteSession, prediction_id: UUID) -> None:
    """From now on a retry of equal input is a prediction of its own."""
    await w.execute(update(PredictionRow).where(PredictionRow.id == prediction_id).values(open=False))


async def reopen_joining(w: WriteSession, prediction_id: UUID) -> None:
    """Let a retry of equal input join again, unless somebody was told something or an equal one is open already."""
    mine = PredictionRow.__table__.alias("mine")
    same = ("tenant_id", "api_key_id", "model_id", "release_id", "input_digest")
    equal = [getattr(PredictionRow, name) == mine.c[name] for name in same]
    rival = select(PredictionRow.id).where(mine.c.id == prediction_id, PredictionRow.open, *equal).limit(1)
    if (await w.execute(rival)).first() is None and await last_told(w, prediction_id) is None:
        await w.execute(update(PredictionRow).where(PredictionRow.id == prediction_id).values(open=True))


async def requested_as(r: ReadSession, tenant_id: UUID, model: str, requests: Collection[str]) -> dict[str, set[UUID]]:
    """The ledger's predictions of a model that were asked for under these request ids, by request id."""
    statement = (
        select(PredictionRow.request_id, PredictionRow.id)
        .join(ModelRow, ModelRow.id == PredictionRow.model_id)
        .where(ModelRow.tenant_id == tenant_id, ModelRow.name == model, PredictionRow.request_id.in_(requests))
    )
    found: dict[str, set[UUID]] = {}
    for request, prediction_id in await r.execute(statement):
        found.setdefault(str(request), set()).add(prediction_id)
    return found


async def withdraw_precedents(w: WriteSession, prediction_id: UUID, item: int, at_us: int) -> int:
    """Withdraw the precedents that rest on an item's outcomes; returns how many were in force."""
    statement = update(PrecedentRow).where(
        PrecedentRow.prediction_id == prediction_id, PrecedentRow.item == item, PrecedentRow.withdrawn_us.is_(None)
    )
    withdrawn = await w.execute(statement.values(withdrawn_us=at_us))
    return int(withdrawn.rowcount)  # type: ignore[attr-defined]


def _outcome(row: Row[Any]) -> Outcome:
    values = dict(row._mapping)
    answer = values.pop("answer")
    return Outcome(**values, answer=None if answer is None else msgspec.json.decode(answer))
