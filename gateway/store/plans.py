"""The plan's revision: it grows in the transaction of every change that a gateway's plan must follow."""

from uuid import UUID

from sqlalchemy import insert, select, update

from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.looks import Look
from gateway.store.schema.plumbing import PlanRevisionRow

_REVISIONS = Look(select(PlanRevisionRow.revision))


async def bump_plan(w: WriteSession, tenant_id: UUID) -> None:
    """Tell every gateway, after the commit, that its plan is out of date."""
    statement = update(PlanRevisionRow).where(PlanRevisionRow.tenant_id == tenant_id)
    bumped = await w.execute(statement.values(revision=PlanRevisionRow.revision + 1))
    if bumped.rowcount == 0:  # type: ignore[attr-defined]
        await w.execute(insert(PlanRevisionRow).values(tenant_id=tenant_id, revision=1))


async def plan_revision(r: ReadSession) -> int:
    """The sum of the revisions of all tenants; it only ever grows."""
    return sum((await r.execute(select(PlanRevisionRow.revision))).scalars())


async def latest_revision(ledger: Ledger) -> int:
    """As `plan_revision`, for who only wants to know whether it has grown. Raises: LedgerUnavailable."""
    return sum(row[0] for row in await ledger.look(_REVISIONS))
