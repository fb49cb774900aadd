"""The SQL of queues, their immutable revisions and their members."""

from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import Row, delete, func, insert, select

from gateway.ids import new_id
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.schema.who import GrantRow, PersonRow
from gateway.store.schema.work import CaseRow, QueueMemberRow, QueueRevisionRow, QueueRow


class QueueRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules of a queue; a case keeps the ones it was opened under."""

    agreement: Literal["single", "majority", "unanimous"] = "single"
    k: int = 1
    """How many people may judge a case in one round."""
    required: int = 1
    """How many equal verdicts decide it, for `majority`."""
    deadline_s: float = 86_400.0
    """How long a case waits before it expires."""
    blind_share: float = 0.0
    """The probability with which a case hides the model's answer."""
    lease_s: float = 120.0
    """How long a claim lasts without being renewed."""
    undo_grace_s: float = 0.0
    """How long an outcome waits before its release, so that its author can undo it unseen."""
    rationale: Literal["never", "on_correction", "always"] = "never"
    capacity: int | None = None
    """How many undecided cases are too many."""


class QueueRevision(msgspec.Struct, frozen=True, kw_only=True):
    """A revision of a queue's rules."""

    id: UUID
    revision: int
    rules: QueueRules
    by: str
    why: str | None
    created_us: int


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A line of cases with its latest rules."""

    id: UUID
    name: str
    model_id: UUID | None
    latest: QueueRevision


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A person who may claim from a queue."""

    person_id: UUID
    name: str
    email: str
    replayed: bool


class QueueSize(msgspec.Struct, frozen=True, kw_only=True):
    """How many cases of a queue are in which state, and how many of the undecided ones are past due."""

    by_state: dict[str, int]
    overdue: int
    waiting_callers: int
    oldest_us: int | None
    """When the oldest undecided case was opened."""


RULES = [getattr(QueueRevisionRow, name) for name in QueueRules.__struct_fields__]


async def insert_queue(w: WriteSession, tenant_id: UUID, name: str, model_id: UUID | None, at_us: int) -> UUID:
    """A new queue without rules yet; returns its id."""
    queue_id = new_id()
    values = {"id": queue_id, "tenant_id": tenant_id, "name": name, "model_id": model_id, "created_us": at_us}
    await w.execute(insert(QueueRow).values(**values))
    return queue_id


async def insert_revision(
    w: WriteSession, queue_id: UUID, revision: int, rules: QueueRules, *, by: str, why: str | None, at_us: int
) -> QueueRevision:
    """A new revision of a queue's rules."""
    row = QueueRevision(id=new_id(), revision=revision, rules=rules, by=by, why=why, created_us=at_us)
    await w.execute(
        insert(QueueRevisionRow).values(
            id=row.id, queue_id=queue_id, revision=revision, by=by, why=why, created_us=at_us,
            **msgspec.structs.asdict(rules),
        )
    )  # fmt: skip
    return row


async def queues_in(r: ReadSession, tenant_id: UUID, name: str | None = None) -> list[Queue]:
    """The queues of a tenant, by name, each with its latest rules."""
    latest = (
        select(QueueRevisionRow.queue_id, func.max(QueueRevisionRow.revision).label("revision"))
        .group_by(QueueRevisionRow.queue_id)
        .subquery()
    )
    statement = (
        select(
            QueueRow.id.label("queue_id"), QueueRow.name, QueueRow.model_id, QueueRevisionRow.id,
            QueueRevisionRow.revision, QueueRevisionRow.by, QueueRevisionRow.why, QueueRevisionRow.created_us, *RULES,
        )
        .join(latest, latest.c.queue_id == QueueRow.id)
        .join(
            QueueRevisionRow,
            (QueueRevisionRow.queue_id == QueueRow.id) & (QueueRevisionRow.revision == latest.c.revision),
        )
        .where(QueueRow.tenant_id == tenant_id)
        .order_by(QueueRow.name)
    )  # fmt: skip
    return [
        _queue(row) for row in await r.execute(statement if name is None else statement.where(QueueRow.name == name))
    ]


async def lock_queue(w: WriteSession, queue_id: UUID) -> None:
    """Let nobody else revise the queue before this transaction ends."""
    if w.locks_rows:
        await w.execute(select(QueueRow.id).where(QueueRow.id == queue_id).with_for_update())


async def queues_of(r: ReadSession, person_id: UUID, tenant_id: UUID) -> dict[str, UUID]:
    """The queues of which a person is a member, by name."""
    statement = (
        select(QueueRow.name, QueueRow.id)
        .join(QueueMemberRow, QueueMemberRow.queue_id == QueueRow.id)
        .where(QueueMemberRow.person_id == person_id, QueueRow.tenant_id == tenant_id)
        .order_by(QueueRow.name)
    )
    return {row.name: row.id for row in await r.execute(statement)}


async def members_of(r: ReadSession, queue_id: UUID) -> list[Member]:
    """The members of a queue, by name."""
    statement = (
        select(QueueMemberRow.person_id, PersonRow.name, PersonRow.email, PersonRow.replayed)
        .join(PersonRow, PersonRow.id == QueueMemberRow.person_id)
        .where(QueueMemberRow.queue_id == queue_id)
        .order_by(PersonRow.name, PersonRow.id)
    )
    return [Member(**row._mapping) for row in await r.execute(statement)]


async def add_member(w: WriteSession, queue_id: UUID, person_id: UUID, at_us: int) -> None:
    """Make a person a member; nothing changes when she is one."""
    if await w.get(QueueMemberRow, (queue_id, person_id)) is None:
        values = {"queue_id": queue_id, "person_id": person_id, "created_us": at_us}
        await w.execute(insert(QueueMemberRow).values(**values))


async def remove_member(w: WriteSession, queue_id: UUID, person_id: UUID) -> None:
    """Take a person out of a queue; what she has claimed stays hers until the lease ends."""
    mine = (QueueMemberRow.queue_id == queue_id, QueueMemberRow.person_id == person_id)
    await w.execute(delete(QueueMemberRow).where(*mine))


async def size_of(r: ReadSession, queue_id: UUID, now_us: int) -> QueueSize:
    """How full a queue is."""
    counts = await r.execute(
        select(CaseRow.state, func.count()).where(CaseRow.queue_id == queue_id).group_by(CaseRow.state)
    )
    undecided = CaseRow.state.in_(("open", "claimed", "partial", "adjudicating"))
    statement = select(
        func.count().filter(CaseRow.due_us <= now_us), func.count().filter(CaseRow.caller_waiting),
        func.min(CaseRow.created_us),
    )  # fmt: skip
    overdue, waiting, oldest = (await r.execute(statement.where(CaseRow.queue_id == queue_id, undecided))).one()
    by_state = {str(state): count for state, count in counts}
    return QueueSize(by_state=by_state, overdue=overdue, waiting_callers=waiting, oldest_us=oldest)


def _queue(row: Row[Any]) -> Queue:
    values = dict(row._mapping)
    rules = QueueRules(**{name: values.pop(name) for name in QueueRules.__struct_fields__})
    queue = {"id": values.pop("queue_id"), "name": values.pop("name"), "model_id": values.pop("model_id")}
    return Queue(**queue, latest=QueueRevision(rules=rules, **values))


async def is_person_of(r: ReadSession, person_id: UUID, tenant_id: UUID) -> bool:
    """Whether there is such a person with a role in the tenant."""
    statement = select(GrantRow.person_id).where(GrantRow.person_id == person_id, GrantRow.tenant_id == tenant_id)
    return (await r.execute(statement.limit(1))).first() is not None
