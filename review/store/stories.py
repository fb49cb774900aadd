"""The SQL of a prediction's story: everything the ledger knows about one prediction, in the order in which it came."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import case, select
from sqlalchemy.orm import aliased

from gateway.labels import Answer
from gateway.store.ledger import ReadSession
from gateway.store.schema.predictions import DeliveryKind, DeliveryRow, Path, PayloadRow, PredictionRow
from gateway.store.schema.serves import ModelRow, ReleaseRow
from gateway.store.schema.who import ApiKeyRow, PersonRow
from gateway.store.schema.work import (
    CaseKind,
    CaseRow,
    CaseState,
    ClosedReason,
    OutcomeRow,
    OutcomeStatus,
    OutcomeUndoneRow,
    QueueRow,
    VerdictKind,
    VerdictRow,
)

CAME_IN, WENT_OUT = aliased(PayloadRow), aliased(PayloadRow)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The row of a prediction that needed people."""

    model: str
    release_id: UUID
    release_number: int
    caller: str
    request_id: str | None
    decided_path: Path
    path: Path
    decided_rule: str
    rule: str
    flag_state: str | None
    items: int
    input_digest: str
    input_sha256: str | None
    """The digest of what came in; None where it was not kept or was erased."""
    output_sha256: str | None
    """The digest of what the model said, in the same way."""
    cancelled_us: int | None
    created_us: int


class VerdictTold(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict with the name of whoever gave it."""

    person: str
    replayed: bool
    """True for a stand-in that replays recorded judgements."""
    round: int
    kind: VerdictKind
    answer: Answer | None
    reason_code: str
    rationale: str | None
    adjudicated: bool
    active_s: float
    created_us: int


class CaseTold(msgspec.Struct, frozen=True, kw_only=True):
    """A case of an item, with its verdicts of every round."""

    id: UUID
    item: int
    kind: CaseKind
    queue: str
    rule: str
    evidence: dict[str, float | str]
    answer: Answer | None
    score: float | None
    inclusion_probability: float | None
    state: CaseState
    closed_reason: ClosedReason | None
    round: int
    created_us: int
    changed_us: int
    verdicts: tuple[VerdictTold, ...] = ()


class OutcomeTold(msgspec.Struct, frozen=True, kw_only=True):
    """A revision of an item's outcome, and whether it was taken back."""

    item: int
    revision: int
    source: str
    status: OutcomeStatus
    answer: Answer | None
    differs: bool | None
    release_after_us: int
    created_us: int
    undone_us: int | None
    undone_by: str | None
    undone_why: str | None


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller was told, and when."""

    n: int
    kind: DeliveryKind
    outcome_revision: int | None
    delivered_us: int


async def head_of(r: ReadSession, tenant_id: UUID, prediction_id: UUID) -> Head | None:
    """The prediction's row, if the ledger has one of this tenant."""
    statement = (
        select(
            ModelRow.name.label("model"), PredictionRow.release_id, ReleaseRow.number.label("release_number"),
            ApiKeyRow.name.label("caller"), PredictionRow.request_id, PredictionRow.decided_path, PredictionRow.path,
            PredictionRow.decided_rule, PredictionRow.rule, PredictionRow.flag_state, PredictionRow.items,
            PredictionRow.input_digest, _kept(CAME_IN).label("input_sha256"),
            _kept(WENT_OUT).label("output_sha256"), PredictionRow.cancelled_us, PredictionRow.created_us,
        )
        .join(ModelRow, ModelRow.id == PredictionRow.model_id)
        .join(ReleaseRow, ReleaseRow.id == PredictionRow.release_id)
        .join(ApiKeyRow, ApiKeyRow.id == PredictionRow.api_key_id)
        .outerjoin(CAME_IN, CAME_IN.id == PredictionRow.input_payload_id)
        .outerjoin(WENT_OUT, WENT_OUT.id == PredictionRow.output_payload_id)
        .where(PredictionRow.id == prediction_id, PredictionRow.tenant_id == tenant_id)
    )  # fmt: skip
    row = (await r.execute(statement)).one_or_none()
    return None if row is None else Head(**row._mapping)


def _kept(payload: type[PayloadRow]) -> Any:
    """The digest of a payload while it is kept."""
    return case((payload.erased_us.is_(None), payload.sha256))


async def cases_told(r: ReadSession, prediction_id: UUID) -> list[CaseTold]:
    """The cases of a prediction with their verdicts, by item and time."""
    named = ("verdicts", "queue")
    columns = [getattr(CaseRow, name) for name in CaseTold.__struct_fields__ if name not in named]
    statement = (
        select(*columns, QueueRow.name.label("queue"))
        .join(QueueRow, QueueRow.id == CaseRow.queue_id)
        .where(CaseRow.prediction_id == prediction_id)
        .order_by(CaseRow.item, CaseRow.created_us)
    )
    verdicts = await _verdicts(r, prediction_id)
    return [_case(dict(row._mapping), verdicts) for row in await r.execute(statement)]


def _case(values: dict[str, Any], verdicts: dict[UUID, list[VerdictTold]]) -> CaseTold:
    return CaseTold(
        **values
        | {
            "answer": _answer(values["answer"]),
            "evidence": msgspec.json.decode(values["evidence"], type=dict[str, float | str]),
            "verdicts": tuple(verdicts.get(values["id"], ())),
        }
    )


async def _verdicts(r: ReadSession, prediction_id: UUID) -> dict[UUID, list[VerdictTold]]:
    named = ("person", "replayed")
    columns = [getattr(VerdictRow, name) for name in VerdictTold.__struct_fields__ if name not in named]
    statement = (
        select(VerdictRow.case_id, *columns, PersonRow.name.label("person"), PersonRow.replayed)
        .join(CaseRow, CaseRow.id == VerdictRow.case_id)
        .join(PersonRow, PersonRow.id == VerdictRow.person_id)
        .where(CaseRow.prediction_id == prediction_id)
        .order_by(VerdictRow.created_us, VerdictRow.id)
    )
    found: dict[UUID, list[VerdictTold]] = {}
    for row in await r.execute(statement):
        values = dict(row._mapping)
        case_id = values.pop("case_id")
        found.setdefault(case_id, []).append(VerdictTold(**values | {"answer": _answer(values["answer"])}))
    return found


async def outcomes_told(r: ReadSession, prediction_id: UUID) -> list[OutcomeTold]:
    """The revisions of every item's outcome, in order."""
    undone = ("undone_us", "undone_by", "undone_why")
    columns = [getattr(OutcomeRow, name) for name in OutcomeTold.__struct_fields__ if name not in undone]
    same = (
        (OutcomeUndoneRow.prediction_id == OutcomeRow.prediction_id)
        & (OutcomeUndoneRow.item == OutcomeRow.item)
        & (OutcomeUndoneRow.revision == OutcomeRow.revision)
    )
    statement = (
        select(
            *columns, OutcomeUndoneRow.undone_us, OutcomeUndoneRow.by.label("undone_by"),
            OutcomeUndoneRow.why.label("undone_why"),
        )
        .outerjoin(OutcomeUndoneRow, same)
        .where(OutcomeRow.prediction_id == prediction_id)
        .order_by(OutcomeRow.item, OutcomeRow.revision)
    )  # fmt: skip
    rows = [dict(row._mapping) for row in await r.execute(statement)]
    return [OutcomeTold(**row | {"answer": _answer(row["answer"])}) for row in rows]


async def tellings(r: ReadSession, prediction_id: UUID) -> list[Telling]:
    """What the caller was told, in order."""
    columns = [getattr(DeliveryRow, name) for name in Telling.__struct_fields__]
    statement = select(*columns).where(DeliveryRow.prediction_id == prediction_id).order_by(DeliveryRow.n)
    return [Telling(**row._mapping) for row in await r.execute(statement)]


async def release_named(r: ReadSession, tenant_id: UUID, name: str) -> UUID | None:
    """The id of a release by its name, such as `sentiment@7`."""
    model, _, number = name.rpartition("@")
    statement = (
        select(ReleaseRow.id)
        .join(ModelRow, ModelRow.id == ReleaseRow.model_id)
        .where(ModelRow.tenant_id == tenant_id, ModelRow.name == model, ReleaseRow.number == int(number))
    )
    return (await r.execute(statement)).scalar_one_or_none()


def _answer(body: str | None) -> Answer | None:
    return None if body is None else msgspec.json.decode(body)
