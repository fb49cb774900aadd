"""The SQL of queues as the gateway needs it: which queue takes a model's cases, and under which revision."""

from uuid import UUID

from sqlalchemy import func, insert, select

from gateway.ids import new_id
from gateway.plan import QueuePlan
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.once import insert_once
from gateway.store.schema.who import GrantRow
from gateway.store.schema.work import CaseRow, QueueMemberRow, QueueRevisionRow, QueueRow

DEFAULT_QUEUE = "default"
JUDGES = ("reviewer", "lead")
UNDECIDED = ("open", "claimed", "partial", "adjudicating")


async def ensure_default_queue(w: WriteSession, tenant_id: UUID, by: str) -> UUID:
    """The id of the queue that takes what no other queue takes: one person decides, within a day."""
    found = select(QueueRow.id).where(QueueRow.tenant_id == tenant_id, QueueRow.name == DEFAULT_QUEUE)
    queue_id = (await w.execute(found)).scalar_one_or_none()
    if queue_id is not None:
        return queue_id
    queue_id, now = new_id(), await w.now_us()
    await w.execute(
        insert(QueueRow).values(id=queue_id, tenant_id=tenant_id, name=DEFAULT_QUEUE, model_id=None, created_us=now)
    )
    rules = {"agreement": "single", "k": 1, "required": 1, "rationale": "never", "capacity": None}
    times = {"deadline_s": 86_400.0, "blind_share": 0.0, "lease_s": 120.0, "undo_grace_s": 0.0}
    await w.execute(
        insert(QueueRevisionRow).values(
            id=new_id(), queue_id=queue_id, revision=1, by=by, why=None, created_us=now, **rules, **times
        )
    )
    await _join_all(w, tenant_id, queue_id, now)
    return queue_id


async def join_default_queue(w: WriteSession, tenant_id: UUID, person_id: UUID) -> None:
    """Make somebody who may judge a member of the default queue, if there is one yet."""
    found = select(QueueRow.id).where(QueueRow.tenant_id == tenant_id, QueueRow.name == DEFAULT_QUEUE)
    queue_id = (await w.execute(found)).scalar_one_or_none()
    if queue_id is not None:
        now = await w.now_us()
        await insert_once(w, QueueMemberRow, queue_id=queue_id, person_id=person_id, created_us=now)


async def _join_all(w: WriteSession, tenant_id: UUID, queue_id: UUID, now_us: int) -> None:
    """Everybody who may judge already becomes a member of a new default queue."""
    judges = select(GrantRow.person_id).where(GrantRow.tenant_id == tenant_id, GrantRow.role.in_(JUDGES)).distinct()
    for person_id in (await w.execute(judges)).scalars().all():
        await insert_once(w, QueueMemberRow, queue_id=queue_id, person_id=person_id, created_us=now_us)


async def queue_plan(r: ReadSession, tenant_id: UUID, model_id: UUID) -> QueuePlan | None:
    """The queue of a model, or the tenant's default queue, at its latest revision."""
    statement = (
        select(QueueRow, QueueRevisionRow)
        .join(QueueRevisionRow, QueueRevisionRow.queue_id == QueueRow.id)
        .where(QueueRow.tenant_id == tenant_id, (QueueRow.model_id == model_id) | QueueRow.model_id.is_(None))
        .order_by(QueueRow.model_id.is_(None), QueueRow.created_us, QueueRevisionRow.revision.desc())
        .limit(1)
    )
    row = (await r.execute(statement)).one_or_none()
    if row is None:
        return None
    queue, revision = row
    return QueuePlan(
        id=queue.id,
        revision_id=revision.id,
        deadline_s=revision.deadline_s,
        blind_share=revision.blind_share,
        capacity=revision.capacity,
    )


async def open_holds(r: ReadSession, model_id: UUID) -> int:
    """How many holds of a model are undecided."""
    statement = select(func.count()).where(
        CaseRow.model_id == model_id, CaseRow.kind == "hold", CaseRow.state.in_(UNDECIDED)
    )
    return (await r.execute(statement)).scalar_one()
