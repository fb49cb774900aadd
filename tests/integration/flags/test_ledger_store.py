"""The ledger is a flag store."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from flags.store import FlagStore
from gateway.store.flags import LedgerFlagStore
from gateway.store.ledger import Ledger
from gateway.store.schema.who import TenantRow
from tests.integration.flags.flag_store_suite import FlagStoreSuite


class TestLedgerFlagStore(FlagStoreSuite):
    """The shared suite, on SQLite and on PostgreSQL."""

    @pytest.fixture
    async def flag_store(self, ledger_url: str) -> AsyncIterator[FlagStore]:
        """An empty store in a fresh ledger."""
        ledger = Ledger.open(ledger_url)
        async with ledger.reading() as r:
            tenant_id = (await r.execute(select(TenantRow.id))).scalar_one()
        yield LedgerFlagStore(ledger, tenant_id)
        await ledger.close()
