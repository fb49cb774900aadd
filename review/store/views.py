"""The SQL of looking at cases: one with all that is around it, or a page of them."""

from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import Row, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from gateway.labels import Answer
from gateway.store.ledger import ReadSession
from gateway.store.schema.predictions import PayloadRow, PredictionRow
from gateway.store.schema.serves import GuidelineRow, ModelRow, ReleaseRow
from gateway.store.schema.who import ApiKeyRow
from gateway.store.schema.work import CaseKind, CaseRow, CaseState, ClosedReason, QueueRow

ORDERS = {"line": (CaseRow.priority, CaseRow.due_us, CaseRow.id), "newest": (CaseRow.created_us, CaseRow.id)}


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A case as one line of a list."""

    id: UUID
    prediction_id: UUID
    item: int
    kind: CaseKind
    queue: str
    model: str
    release: str
    """Such as `sentiment@7`."""
    rule: str
    state: CaseState
    closed_reason: ClosedReason | None
    round: int
    version: int
    priority: int
    blind: bool
    caller_waiting: bool
    due_us: int
    created_us: int
    changed_us: int


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases to list; every condition that is given must hold."""

    queue: str | None = None
    state: CaseState | None = None
    kind: CaseKind | None = None
    model: str | None = None
    prediction_id: UUID | None = None
    order: Literal["line", "newest"] = "line"
    after: UUID | None = None
    """The last case of the page before."""
    limit: int = 50


class InputReference(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request's input is kept."""

    payload_id: UUID
    sha256: str
    media_type: str
    bytes: int
    erased: bool


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A case with what stands beside it in other tables."""

    listed: Listed
    model_id: UUID
    release_id: UUID
    version_id: UUID
    items: int
    evidence: dict[str, float | str]
    answer: Answer | None
    score: float | None
    other_release_id: UUID | None
    inclusion_probability: float | None
    draw: float | None
    caller: str
    """The name of the caller's key."""
    caller_withdrew: bool
    wait_until_us: int | None
    guideline: str
    input: InputReference | None


_LISTED = [getattr(CaseRow, name) for name in Listed.__struct_fields__ if name not in ("queue", "model", "release")]
_NAMED = (QueueRow.name.label("queue"), ModelRow.name.label("model"), ReleaseRow.number)
_LIST = (
    select(*_LISTED, *_NAMED)
    .join(QueueRow, QueueRow.id == CaseRow.queue_id)
    .join(ModelRow, ModelRow.id == CaseRow.model_id)
    .join(ReleaseRow, ReleaseRow.id == CaseRow.release_id)
)
_AROUND = (
    CaseRow.model_id, CaseRow.release_id, ReleaseRow.version_id, CaseRow.evidence, CaseRow.answer, CaseRow.score,
    CaseRow.other_release_id, CaseRow.inclusion_probability, CaseRow.draw, CaseRow.caller_withdrew,
    PredictionRow.items, PredictionRow.wait_until_us,
    ApiKeyRow.name.label("caller"), GuidelineRow.body.label("guideline"), PayloadRow.id.label("payload_id"),
    PayloadRow.sha256, PayloadRow.media_type, PayloadRow.bytes, PayloadRow.erased_us,
)  # fmt: skip
_SEEN = (
    _LIST.add_columns(*_AROUND)
    .join(PredictionRow, PredictionRow.id == CaseRow.prediction_id)
    .join(ApiKeyRow, ApiKeyRow.id == PredictionRow.api_key_id)
    .join(GuidelineRow, GuidelineRow.sha256 == ReleaseRow.guideline)
    .outerjoin(PayloadRow, PayloadRow.id == PredictionRow.input_payload_id)
)


async def list_cases(r: ReadSession, tenant_id: UUID, page: Page) -> list[Listed]:
    """A page of the tenant's cases."""
    given: list[tuple[InstrumentedAttribute[Any], object]] = [
        (QueueRow.name, page.queue),
        (CaseRow.state, page.state),
        (CaseRow.kind, page.kind),
        (ModelRow.name, page.model),
        (CaseRow.prediction_id, page.prediction_id),
    ]
    wanted = [column == value for column, value in given if value is not None]
    order = ORDERS[page.order]
    statement = _LIST.where(CaseRow.tenant_id == tenant_id, *wanted)
    if page.after is not None:
        last = select(*order).where(CaseRow.id == page.after).scalar_subquery()
        statement = statement.where(tuple_(*order) > last if page.order == "line" else tuple_(*order) < last)
    directed = order if page.order == "line" else [column.desc() for column in order]
    return [_listed(dict(row._mapping)) for row in await r.execute(statement.order_by(*directed).limit(page.limit))]


async def see_case(r: ReadSession, tenant_id: UUID, case_id: UUID) -> Seen | None:
    """The case with what stands beside it, if the tenant has it."""
    row = (await r.execute(_SEEN.where(CaseRow.id == case_id, CaseRow.tenant_id == tenant_id))).one_or_none()
    return None if row is None else _seen(row)


def _listed(values: dict[str, Any]) -> Listed:
    release = f"{values['model']}@{values.pop('number')}"
    return Listed(**values, release=release)


def _seen(row: Row[Any]) -> Seen:
    values = dict(row._mapping)
    listed = _listed({name: values.pop(name) for name in (*Listed.__struct_fields__, "number") if name != "release"})
    answer, evidence = values.pop("answer"), values.pop("evidence")
    kept = _input(values)
    return Seen(
        listed=listed,
        answer=None if answer is None else msgspec.json.decode(answer),
        evidence=msgspec.json.decode(evidence),
        input=kept,
        **values,
    )


def _input(values: dict[str, Any]) -> InputReference | None:
    erased = values.pop("erased_us") is not None
    parts = {name: values.pop(name) for name in ("payload_id", "sha256", "media_type", "bytes")}
    return None if parts["payload_id"] is None else InputReference(**parts, erased=erased)
