"""The SQL of who judges a model's cases, and how long that takes them."""

from uuid import UUID

from sqlalchemy import func, select

from gateway.store.ledger import ReadSession
from gateway.store.queues import JUDGES
from gateway.store.schema.who import GrantRow, PersonRow
from gateway.store.schema.work import CaseRow, QueueMemberRow, QueueRevisionRow, VerdictRow


async def count_reviewers(r: ReadSession, tenant_id: UUID, queue_id: UUID, model_id: UUID) -> int:
    """How many people are members of the queue and may judge the model's cases; replayed ones do not count."""
    statement = (
        select(func.count(QueueMemberRow.person_id.distinct()))
        .join(PersonRow, PersonRow.id == QueueMemberRow.person_id)
        .join(GrantRow, GrantRow.person_id == PersonRow.id)
        .where(QueueMemberRow.queue_id == queue_id, PersonRow.disabled_us.is_(None), PersonRow.replayed.is_(False))
        .where(GrantRow.tenant_id == tenant_id, GrantRow.role.in_(JUDGES))
        .where(GrantRow.model_id.is_(None) | (GrantRow.model_id == model_id))
    )
    return (await r.execute(statement)).scalar_one()


async def judging_times(r: ReadSession, model_id: UUID, limit: int) -> tuple[int, float | None]:
    """How many of the model's latest verdicts were looked at, up to the limit, and their mean active seconds."""
    latest = (
        select(VerdictRow.active_s)
        .join(CaseRow, CaseRow.id == VerdictRow.case_id)
        .join(PersonRow, PersonRow.id == VerdictRow.person_id)
        .where(CaseRow.model_id == model_id, PersonRow.replayed.is_(False), VerdictRow.active_s > 0)
        .order_by(VerdictRow.created_us.desc())
        .limit(limit)
        .subquery()
    )
    count, mean = (await r.execute(select(func.count(), func.avg(latest.c.active_s)).select_from(latest))).one()
    return count, mean


async def verdicts_needed(r: ReadSession, queue_revision_id: UUID) -> int:
    """How many verdicts decide a case at least, by the rules of its queue."""
    statement = select(QueueRevisionRow.agreement, QueueRevisionRow.k, QueueRevisionRow.required)
    rules = (await r.execute(statement.where(QueueRevisionRow.id == queue_revision_id))).one()
    needed: dict[str, int] = {"single": 1, "majority": rules.required, "unanimous": rules.k}
    return needed[rules.agreement]
