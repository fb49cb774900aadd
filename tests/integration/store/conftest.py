"""A migrated ledger on each of the two real databases."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import select

from gateway.store import migrate
from gateway.store.ledger import Ledger
from gateway.store.schema.who import TenantRow


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    await migrate.upgrade(ledger_url)
    ledger = Ledger.open(ledger_url)
    yield ledger
    await ledger.close()


@pytest.fixture
async def tenant_id(ledger: Ledger) -> UUID:
    async with ledger.reading() as r:
        return (await r.execute(select(TenantRow.id))).scalar_one()
