"""The migrations and the tables in the code are one schema."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, text

from gateway.store import migrate
from gateway.store.engines import open_engines
from gateway.store.ledger import Ledger
from gateway.store.schema import Table, immutable


async def _inspect(url: str, work):
    read, write = open_engines(make_url(url))
    try:
        async with write.connect() as connection:
            return await connection.run_sync(work)
    finally:
        await read.dispose()
        await write.dispose()


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return compare_metadata(context, Table.metadata)


def _guarded(connection: Connection) -> set[str]:
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"))
    else:
        rows = connection.execute(
            text("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%\\_immutable'")
        )
    return {str(name).strip('"') for (name,) in rows}


def test_the_names_of_the_files_are_the_chain_of_the_migrations() -> None:
    """What a look at the files' names gives is what Alembic reads in them: one line, without a branch, to one head."""
    script = ScriptDirectory(migrate.MIGRATIONS)
    chain = [one.revision for one in script.walk_revisions("base", "heads")]
    assert migrate.revisions() == chain[::-1]
    assert script.get_heads() == [migrate.head()]


async def test_migrations_make_the_schema_of_the_code(empty_ledger_url: str) -> None:
    """After an upgrade nothing differs between the database and the tables in the code."""
    assert await migrate.upgrade(empty_ledger_url) == migrate.head()
    assert await _inspect(empty_ledger_url, _differences) == []


async def test_every_immutable_table_is_guarded_by_the_database(empty_ledger_url: str) -> None:
    """Each table marked immutable has the trigger that refuses updates and deletes."""
    await migrate.upgrade(empty_ledger_url)
    assert await _inspect(empty_ledger_url, _guarded) == set(immutable.immutable_tables())


async def test_an_upgrade_run_twice_changes_nothing(empty_ledger_url: str) -> None:
    """A second upgrade keeps the one tenant and the revision."""
    await migrate.upgrade(empty_ledger_url)
    await migrate.upgrade(empty_ledger_url)
    await migrate.check(empty_ledger_url)
    ledger = Ledger.open(empty_ledger_url)
    async with ledger.reading() as r:
        assert (await r.execute(text("SELECT count(*) FROM tenant"))).scalar_one() == 1
    await ledger.close()


async def test_an_old_or_a_newer_ledger_is_named(empty_ledger_url: str) -> None:
    """An empty ledger is too old, and one migrated by a newer Lockgate is refused by name."""
    with pytest.raises(migrate.LedgerTooOld, match="lockgate migrate"):
        await migrate.check(empty_ledger_url)
    await migrate.upgrade(empty_ledger_url)
    ledger = Ledger.open(empty_ledger_url)
    async with ledger.writing() as w:
        await w.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await ledger.close()
    with pytest.raises(migrate.LedgerTooNew, match="9999"):
        await migrate.check(empty_ledger_url)
    with pytest.raises(migrate.LedgerTooNew):
        await migrate.upgrade(empty_ledger_url)
