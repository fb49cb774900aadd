"""Brings a ledger to the schema of this code, and says how far it is.

`python -m gateway.store.migrate "What changes"` writes the next migration from the difference between the tables in
`gateway.store.schema` and an empty SQLite ledger at the present head.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import URL, Connection, insert, inspect, make_url

from gateway.errors import GatewayError
from gateway.ids import new_id
from gateway.store.engines import open_engines
from gateway.store.revisions import MIGRATIONS, head, revisions
from gateway.store.schema.who import TenantRow
from gateway.times import now_us

if TYPE_CHECKING:  # Alembic is loaded where something is migrated: each process and many commands only look
    from alembic.config import Config

DEFAULT_TENANT = "default"
T = TypeVar("T")


class LedgerTooNew(GatewayError):
    """The ledger was migrated by a newer Lockgate ({found}); this one knows up to {head}. Run the newer version."""

    code = "ledger-too-new"


class LedgerTooOld(GatewayError):
    """The ledger is at {found}, and this Lockgate needs {head}: run 'lockgate migrate'."""

    code = "ledger-too-old"


def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def _with_connection(url: URL, work: Callable[[Connection], T]) -> T:
    read, write = open_engines(url)
    try:
        async with write.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await read.dispose()
        await write.dispose()


async def current(url: str | URL) -> str:
    """The revision that a ledger is at; '' for an empty database."""
    return await _with_connection(make_url(url), _current)


def _current(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or ""


async def check(url: str | URL) -> None:
    """Return if the ledger has this code's schema. Raises: LedgerTooOld, LedgerTooNew."""
    found, newest = await current(url), head()
    if found == newest:
        return
    if found and found not in revisions():
        raise LedgerTooNew(found=found, head=newest)
    raise LedgerTooOld(found=found or "nothing", head=newest)


async def upgrade(url: str | URL) -> str:
    """Migrate a ledger to this code's schema, with its first tenant; returns the revision it is at."""
    await _with_connection(make_url(url), _upgrade)
    return head()


def _upgrade(connection: Connection) -> None:
    from alembic import command

    found = _current(connection)
    if found and found not in revisions():
        raise LedgerTooNew(found=found, head=head())
    if found != head():
        command.upgrade(_config(connection), "head")
    if connection.exec_driver_sql("SELECT count(*) FROM tenant").scalar_one() == 0:
        _found_tenant(connection)


def _found_tenant(connection: Connection) -> None:
    connection.execute(insert(TenantRow).values(id=new_id(), name=DEFAULT_TENANT, created_us=now_us()))


def _write_migration(connection: Connection, message: str) -> None:
    from alembic import command

    config = _config(connection)
    command.upgrade(config, "head")
    command.revision(config, message=message, autogenerate=True, rev_id=f"{len(revisions()) + 1:04d}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        target = make_url(f"sqlite+aiosqlite:///{folder}/ledger.db")
        asyncio.run(_with_connection(target, lambda c: _write_migration(c, sys.argv[1])))
