"""The SQL of the library of corrections: settled outcomes, the newest first, with what stands beside them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, and_, case, exists, select, tuple_
from sqlalchemy.orm import aliased

from gateway.holding.ranking import TRUTH_PREFIX
from gateway.labels import Answer
from gateway.store.ledger import ReadSession
from gateway.store.schema.predictions import PayloadRow, PredictionRow
from gateway.store.schema.serves import ModelRow, ReleaseRow
from gateway.store.schema.who import PersonRow
from gateway.store.schema.work import (
    CaseKind,
    CaseRow,
    OutcomeRow,
    OutcomeStatus,
    OutcomeUndoneRow,
    QueueRow,
    VerdictKind,
    VerdictRow,
)

CAME_IN, WENT_OUT = aliased(PayloadRow), aliased(PayloadRow)
KEY = (OutcomeRow.created_us, OutcomeRow.prediction_id, OutcomeRow.item, OutcomeRow.revision)
"""The order of the library, and the index that has it."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where an outcome stands in the library."""

    created_us: int
    prediction_id: UUID
    item: int
    revision: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which outcomes are wanted; every condition that is given must hold."""

    model: str | None = None
    release: int | None = None
    """The number of a release of `model`, which must be given, too."""
    kind: CaseKind | None = None
    source: str | None = None
    """Either `people`, `adjudication`, `truth` for every ground truth, or `truth:NAME`."""
    differs: bool | None = None
    answer: str | None = None
    model_answer: str | None = None
    reason: str | None = None
    reviewer: str | None = None
    """The address of somebody who judged."""
    since_us: int | None = None
    until_us: int | None = None
    prediction_id: UUID | None = None


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody may see of the library."""

    tenant_id: UUID
    everything: bool = False
    models: frozenset[UUID] = frozenset()
    queues: frozenset[UUID] = frozenset()
    person_id: UUID | None = None
    """Whose own name is shown where others' are not."""


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome that stands, with its case and its prediction."""

    place: Place
    model: str
    model_id: UUID
    release_id: UUID
    release_number: int
    source: str
    status: OutcomeStatus
    answer: Answer | None
    differs: bool | None
    case_id: UUID | None
    round: int | None
    kind: CaseKind | None
    queue: str | None
    case_answer: Answer | None
    score: float | None
    items: int
    request_id: str | None
    decided_us: int
    input_sha256: str | None
    output_sha256: str | None


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict of the round that came to an outcome."""

    case_id: UUID
    round: int
    person_id: UUID
    person: str
    email: str
    kind: VerdictKind
    answer: Answer | None
    reason_code: str
    rationale: str | None
    adjudicated: bool
    created_us: int


_BESIDE = (
    *(getattr(OutcomeRow, name) for name in ("source", "status", "answer", "differs", "case_id", "round")),
    ModelRow.name.label("model"), PredictionRow.model_id, PredictionRow.release_id,
    ReleaseRow.number.label("release_number"), CaseRow.kind, QueueRow.name.label("queue"),
    CaseRow.answer.label("case_answer"), CaseRow.score, PredictionRow.items, PredictionRow.request_id,
    PredictionRow.created_us.label("decided_us"),
    case((CAME_IN.erased_us.is_(None), CAME_IN.sha256)).label("input_sha256"),
    case((WENT_OUT.erased_us.is_(None), WENT_OUT.sha256)).label("output_sha256"),
)  # fmt: skip
_NEWEST = tuple(column.desc() for column in KEY)
_UNDONE = exists().where(
    OutcomeUndoneRow.prediction_id == OutcomeRow.prediction_id,
    OutcomeUndoneRow.item == OutcomeRow.item,
    OutcomeUndoneRow.revision == OutcomeRow.revision,
)


async def settled_outcomes(
    r: ReadSession, sight: Sight, wanted: Wanted, *, after: Place | None, limit: int
) -> list[Settled]:
    """The outcomes that are wanted and may be seen, behind a place, the newest first; none that was undone.

    The page is chosen from the outcomes alone, along their index, and only then joined with what stands beside it: a
    planner that is handed the joins at once reads and sorts everything.
    """
    chosen = select(*KEY).where(~_UNDONE, *_conditions(sight, wanted))
    if after is not None:
        chosen = chosen.where(tuple_(*KEY) < tuple_(*msgspec.structs.astuple(after)))
    page = chosen.order_by(*_NEWEST).limit(limit).subquery("page")
    same = [getattr(OutcomeRow, name) == page.c[name] for name in ("prediction_id", "item", "revision")]
    statement = (
        select(*KEY, *_BESIDE)
        .select_from(page)
        .join(OutcomeRow, and_(*same))
        .join(PredictionRow, PredictionRow.id == OutcomeRow.prediction_id)
        .join(ModelRow, ModelRow.id == PredictionRow.model_id)
        .join(ReleaseRow, ReleaseRow.id == PredictionRow.release_id)
        .outerjoin(CaseRow, CaseRow.id == OutcomeRow.case_id)
        .outerjoin(QueueRow, QueueRow.id == CaseRow.queue_id)
        .outerjoin(CAME_IN, CAME_IN.id == PredictionRow.input_payload_id)
        .outerjoin(WENT_OUT, WENT_OUT.id == PredictionRow.output_payload_id)
        .order_by(*_NEWEST)
    )
    return [_settled(row) for row in await r.execute(statement)]


async def verdicts_on(r: ReadSession, cases: Sequence[UUID]) -> list[Judged]:
    """Every verdict on these cases with who gave it, in the order in which they were given."""
    columns = [getattr(VerdictRow, name) for name in Judged.__struct_fields__ if name not in ("person", "email")]
    statement = (
        select(*columns, PersonRow.name.label("person"), PersonRow.email)
        .join(PersonRow, PersonRow.id == VerdictRow.person_id)
        .where(VerdictRow.case_id.in_(cases))
        .order_by(VerdictRow.created_us, VerdictRow.id)
    )
    return [Judged(**dict(row._mapping) | {"answer": _answer(row.answer)}) for row in await r.execute(statement)]


def _conditions(sight: Sight, wanted: Wanted) -> list[ColumnElement[bool]]:
    """What is wanted and in sight, as conditions on an outcome."""
    found = [_of_prediction(PredictionRow.tenant_id == sight.tenant_id, *_of_release(wanted))]
    if not sight.everything:
        models, queues = list(sight.models), list(sight.queues)
        found.append(_of_prediction(PredictionRow.model_id.in_(models)) | _of_case(CaseRow.queue_id.in_(queues)))
    if wanted.kind is not None:
        found.append(_of_case(CaseRow.kind == wanted.kind))
    if wanted.model_answer is not None:
        # What the model said about a ground truth without a case stands in its payload alone.
        found.append(OutcomeRow.case_id.is_(None) | _of_case(CaseRow.answer.in_(_written(wanted.model_answer))))
    return found + _of_outcome(wanted) + _judged(wanted)


def _of_prediction(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(PredictionRow.id == OutcomeRow.prediction_id, *conditions)


def _of_case(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(CaseRow.id == OutcomeRow.case_id, *conditions)


def _of_release(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Conditions on the prediction's model and release."""
    if wanted.model is None:
        return []
    models = select(ModelRow.id).where(ModelRow.name == wanted.model)
    found: list[ColumnElement[bool]] = [PredictionRow.model_id.in_(models)]
    if wanted.release is not None:
        releases = select(ReleaseRow.id).where(ReleaseRow.number == wanted.release, ReleaseRow.model_id.in_(models))
        found.append(PredictionRow.release_id.in_(releases))
    return found


def _of_outcome(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Conditions on the outcome itself."""
    equal = ((OutcomeRow.differs, wanted.differs), (OutcomeRow.prediction_id, wanted.prediction_id))
    found: list[ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
    if wanted.since_us is not None:
        found.append(OutcomeRow.created_us >= wanted.since_us)
    if wanted.until_us is not None:
        found.append(OutcomeRow.created_us < wanted.until_us)
    if wanted.answer is not None:
        found.append(OutcomeRow.answer.in_(_written(wanted.answer)))
    if wanted.source == TRUTH_PREFIX.rstrip(":"):
        found.append(OutcomeRow.source.startswith(TRUTH_PREFIX))
    elif wanted.source is not None:
        found.append(OutcomeRow.source == wanted.source)
    return found


def _judged(wanted: Wanted) -> list[ColumnElement[bool]]:
    """That some verdict of the outcome's round has this reason, and some this author."""
    round_ = (VerdictRow.case_id == OutcomeRow.case_id, VerdictRow.round == OutcomeRow.round)
    found: list[ColumnElement[bool]] = []
    if wanted.reason is not None:
        found.append(exists().where(*round_, VerdictRow.reason_code == wanted.reason))
    if wanted.reviewer is not None:
        who = select(PersonRow.id).where(PersonRow.email == wanted.reviewer)
        found.append(exists().where(*round_, VerdictRow.person_id.in_(who)))
    return found


def _written(answer: str) -> list[str]:
    """How an answer may be written in the ledger: as a text, and as a number where it is one."""
    written = [msgspec.json.encode(answer).decode()]
    try:
        return [*written, msgspec.json.encode(float(answer)).decode()]
    except ValueError:
        return written


def _settled(row: Row[Any]) -> Settled:
    values = dict(row._mapping)
    place = Place(**{name: values.pop(name) for name in Place.__struct_fields__})
    answer, case_answer = _answer(values.pop("answer")), _answer(values.pop("case_answer"))
    return Settled(place=place, answer=answer, case_answer=case_answer, **values)


def _answer(body: str | None) -> Answer | None:
    return None if body is None else msgspec.json.decode(body)
