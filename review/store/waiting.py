"""The SQL of what waits for people, model by model."""

from uuid import UUID

import msgspec
from sqlalchemy import func, select

from gateway.store.ledger import ReadSession
from gateway.store.queues import UNDECIDED
from gateway.store.schema.serves import ModelRow
from gateway.store.schema.work import CaseRow


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The undecided cases of a model."""

    cases: int = 0
    holds: int = 0
    overdue: int = 0
    callers: int = 0
    oldest_us: int | None = None
    """When the oldest of them was opened."""


async def waiting_by_model(r: ReadSession, tenant_id: UUID) -> dict[str, Waiting]:
    """What waits for people, by the name of the model; a model for which nothing waits is left out."""
    now_us = await r.now_us()
    statement = (
        select(
            ModelRow.name,
            func.count().label("cases"),
            func.count().filter(CaseRow.kind == "hold").label("holds"),
            func.count().filter(CaseRow.due_us <= now_us).label("overdue"),
            func.count().filter(CaseRow.caller_waiting).label("callers"),
            func.min(CaseRow.created_us).label("oldest_us"),
        )
        .join(ModelRow, ModelRow.id == CaseRow.model_id)
        .where(ModelRow.tenant_id == tenant_id, CaseRow.state.in_(UNDECIDED))
        .group_by(ModelRow.name)
    )
    rows = [dict(row._mapping) for row in await r.execute(statement)]
    return {row.pop("name"): Waiting(**row) for row in rows}
