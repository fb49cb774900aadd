"""Whoever may judge finds work without being told about queues."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import select

from gateway.store.ledger import Ledger
from gateway.store.queues import ensure_default_queue
from gateway.store.schema.who import TenantRow
from gateway.store.schema.work import QueueMemberRow
from review.store.people import Grant, add_grant, add_person


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    ledger = Ledger.open(ledger_url)
    yield ledger
    await ledger.close()


async def _person(ledger: Ledger, name: str, role: str, tenant_id: UUID) -> UUID:
    async with ledger.writing() as w:
        email = f"{name}@example.org"
        person_id = await add_person(w, name=name, email=email, password_hash=None, replayed=False)
        grant = Grant(role=role, model_id=None)  # type: ignore[arg-type]
        await add_grant(w, person_id=person_id, grant=grant, tenant_id=tenant_id, by="test")
    return person_id


async def test_reviewers_and_leads_are_members_of_the_default_queue(ledger: Ledger) -> None:
    """People with the role before the queue exists and after it both become members; operators do not."""
    async with ledger.reading() as r:
        tenant_id = (await r.execute(select(TenantRow.id))).scalar_one()
    before = await _person(ledger, "ada", "reviewer", tenant_id)
    await _person(ledger, "olga", "operator", tenant_id)
    async with ledger.writing() as w:
        queue_id = await ensure_default_queue(w, tenant_id, "test")
    after = await _person(ledger, "lena", "lead", tenant_id)
    async with ledger.reading() as r:
        members = select(QueueMemberRow.person_id).where(QueueMemberRow.queue_id == queue_id)
        assert set((await r.execute(members)).scalars()) == {before, after}
