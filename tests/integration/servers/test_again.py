"""A database that is emptied and given out again is as a fresh one, and its last user cannot reach it any more."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from gateway.store.ledger import Ledger
from tests.servers.ledgers import TEMPLATE, Ledgers
from tests.servers.postgres import Postgres
from tests.worlds import build_world

OID = "SELECT oid FROM pg_database WHERE datname = current_database()"
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"


async def asked(url: str, *statements: str) -> list[Any]:
    """What a database answers to each."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return [await connection.fetchval(statement) for statement in statements]
    finally:
        await connection.close()


async def content(url: str) -> dict[str, list[str]]:
    """Every row of every table, and where each sequence is."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        tables = [row[0] for row in await connection.fetch(TABLES)]
        rows = {table: await connection.fetch(f'SELECT t::text FROM "{table}" t ORDER BY 1') for table in tables}
        rows["sequences"] = await connection.fetch(
            "SELECT (sequencename, last_value)::text FROM pg_sequences ORDER BY 1"
        )
        return {table: [row[0] for row in found] for table, found in rows.items()}
    finally:
        await connection.close()


async def filled(url: str) -> None:
    """Rows in many tables, some of which refuse to be changed."""
    ledger = Ledger.open(url)
    async with ledger.writing() as w:
        await build_world(w)
    await ledger.close()


async def altered(url: str) -> None:
    """Another schema."""
    await asked(url, "ALTER TABLE tenant ADD COLUMN colour text")


async def unguarded(url: str) -> None:
    """The same tables, one of them without its guard."""
    await asked(url, "DROP TRIGGER IF EXISTS event_immutable ON event", "ALTER TABLE event DISABLE TRIGGER ALL")


@pytest.fixture
def servers(request: pytest.FixtureRequest) -> tuple[Ledgers, Postgres]:
    """Where ledgers come from, and the server that they lie on."""
    return request.getfixturevalue("_ledgers"), request.getfixturevalue("_postgres")


@pytest.mark.parametrize(("change", "again"), [(filled, True), (altered, False), (unguarded, False)])
async def test_the_next_user_finds_a_fresh_ledger(
    servers: tuple[Ledgers, Postgres], change: Callable[[str], Awaitable[None]], again: bool
) -> None:
    """Whatever was done to a ledger, the next one holds what the template holds; only an unchanged schema is kept."""
    ledgers, postgres = servers
    with ledgers.migrated("postgresql") as first:
        await change(first)
        left_open = await asyncpg.connect(first.replace("+asyncpg", ""))
        (used,) = await asked(first, OID)
    with ledgers.migrated("postgresql") as second:
        assert (await asked(second, OID) == [used]) is again
        assert await content(second) == await content(postgres.url_of(TEMPLATE))
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asked(first, OID)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await left_open.fetchval(OID)
