"""The outbox: events are appended in the transaction of the change they tell, and get a gapless position afterwards."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, bindparam, func, insert, select, update

from gateway.ids import new_id
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.looks import THERE, Look
from gateway.store.schema.columns import Table
from gateway.store.schema.plumbing import CursorRow, EventRow

_INSERT = insert(Table.metadata.tables["event"])
"""Built once on the plain table: every state change runs it, and the mapper would double its cost."""
_UNPOSITIONED = Look(select(THERE).where(EventRow.position.is_(None)).limit(1))
_COMMITTED = select(CursorRow.position).where(CursorRow.consumer == bindparam("consumer")).scalar_subquery()
_NEWEST = select(func.max(EventRow.position)).scalar_subquery()
_UNREAD = Look(
    select(THERE).where(bindparam("seen", type_=BigInteger) < _NEWEST, func.coalesce(_COMMITTED, 0) < _NEWEST)
)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    id: UUID
    tenant_id: UUID
    type: str
    subject: str
    data: msgspec.Raw
    by: str
    occurred_us: int
    position: int | None


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Which events to read, by their positions: behind `after`, before `before`, or the latest."""

    subjects: tuple[str, ...]
    after: int | None = None
    before: int | None = None
    limit: int
    naming: str = ""
    """Only events that name this, such as `sentiment@7`, as the value of a fact."""


async def append_event(
    w: WriteSession, type_: str, subject: str, data: dict[str, Any], *, by: str, tenant_id: UUID, at_us: int
) -> None:
    """Append an event in the running transaction; `data` must be JSON and stay under 20 kB."""
    row = {
        "id": new_id(),
        "tenant_id": tenant_id,
        "type": type_,
        "subject": subject,
        "data": msgspec.json.encode(data).decode(),
        "by": by,
        "occurred_us": at_us,
        "position": None,
    }
    await w.execute(_INSERT, row)


async def position_events(w: WriteSession, limit: int = 1000) -> int:
    """Give committed events their positions, gapless and in order of commit as seen; returns how many.

    Only the holder of the worker's lease calls this.
    """
    rows = (
        await w.execute(
            select(EventRow.id)
            .where(EventRow.position.is_(None))
            .order_by(EventRow.occurred_us, EventRow.id)
            .limit(limit)
        )
    ).scalars()
    ids = list(rows)
    last = (await w.execute(select(func.max(EventRow.position)))).scalar_one() or 0
    for position, event_id in enumerate(ids, start=last + 1):
        await w.execute(update(EventRow).where(EventRow.id == event_id).values(position=position))
    return len(ids)


async def any_unpositioned(ledger: Ledger) -> bool:
    """Whether some committed event has no position yet. Raises: LedgerUnavailable."""
    return bool(await ledger.look(_UNPOSITIONED))


async def any_unread(ledger: Ledger, consumer: str, seen: int) -> bool:
    """Whether some event lies behind what a consumer has committed and behind `seen`. Raises: LedgerUnavailable."""
    return bool(await ledger.look(_UNREAD, consumer=consumer, seen=seen))


async def events_after(r: ReadSession, position: int, limit: int = 500) -> list[Event]:
    """The events behind `position`, in order."""
    statement = select(EventRow).where(EventRow.position > position).order_by(EventRow.position).limit(limit)
    return [_event(row) for row in (await r.execute(statement)).scalars()]


async def latest_position(r: ReadSession) -> int:
    """The highest position that was given; 0 before the first."""
    return (await r.execute(select(func.max(EventRow.position)))).scalar_one() or 0


async def events_on(r: ReadSession, tenant_id: UUID, span: Span) -> list[Event]:
    """The events of a tenant about these subjects within a span, in order; the latest ones where it has no begin."""
    statement = select(EventRow).where(EventRow.tenant_id == tenant_id, EventRow.subject.in_(span.subjects))
    if span.naming:
        statement = statement.where(EventRow.data.contains(f'"{span.naming}"', autoescape=True))
    if span.before is not None:
        statement = statement.where(EventRow.position < span.before)
    # Ordered by a sum, so that the subjects' index is read and not every event that ever was.
    order = EventRow.position + 0
    if span.after is not None:
        statement = statement.where(EventRow.position > span.after).order_by(order)
    else:
        statement = statement.where(EventRow.position.is_not(None)).order_by(order.desc())
    rows = [_event(row) for row in (await r.execute(statement.limit(span.limit))).scalars()]
    return rows if span.after is not None else rows[::-1]


async def events_about(r: ReadSession, subject: str, limit: int = 1000) -> list[Event]:
    """The events about a subject, oldest first; those without a position yet come last."""
    statement = (
        select(EventRow)
        .where(EventRow.subject == subject)
        .order_by(EventRow.position.is_(None), EventRow.position, EventRow.occurred_us, EventRow.id)
        .limit(limit)
    )
    return [_event(row) for row in (await r.execute(statement)).scalars()]


async def latest_event(r: ReadSession, tenant_id: UUID, subject: str, type_: str) -> Event | None:
    """The last event of a type about a subject of a tenant."""
    statement = (
        select(EventRow)
        .where(EventRow.tenant_id == tenant_id, EventRow.subject == subject, EventRow.type == type_)
        .order_by(EventRow.occurred_us.desc(), EventRow.id.desc())
        .limit(1)
    )
    row = (await r.execute(statement)).scalar_one_or_none()
    return _event(row) if row is not None else None


async def latest_event_under(r: ReadSession, tenant_id: UUID, subject: str, prefix: str) -> Event | None:
    """The last event about a subject of a tenant whose type begins so."""
    statement = (
        select(EventRow)
        .where(EventRow.tenant_id == tenant_id, EventRow.subject == subject)
        .where(EventRow.type.startswith(prefix, autoescape=True))
        .order_by(EventRow.occurred_us.desc(), EventRow.id.desc())
        .limit(1)
    )
    row = (await r.execute(statement)).scalar_one_or_none()
    return _event(row) if row is not None else None


def _event(row: EventRow) -> Event:
    return Event(
        id=row.id,
        tenant_id=row.tenant_id,
        type=row.type,
        subject=row.subject,
        data=msgspec.Raw(row.data.encode()),
        by=row.by,
        occurred_us=row.occurred_us,
        position=row.position,
    )
