"""PostgreSQL databases that are emptied and given out again: to copy a template takes longer than most tests do.

A database given back loses its sessions, its rows and its name, so that whoever kept its URL meets nobody. One whose
tables, triggers or functions are no longer those of the template is dropped instead.
"""

import asyncio
import contextlib
import io
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import asyncpg

from tests.servers.postgres import Postgres

T = TypeVar("T")
END_MS = 10_000
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"
SESSIONS = f"""
SELECT coalesce(bool_and(pg_terminate_backend(pid, {END_MS})), true) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
SHAPE = """
WITH ours AS (SELECT oid, xmin FROM pg_class WHERE relnamespace = 'public'::regnamespace)
SELECT md5(string_agg(row, ',' ORDER BY row)) FROM (
    SELECT 'r' || oid || ':' || xmin FROM ours
    UNION ALL SELECT 'a' || attrelid || '.' || attnum || ':' || xmin FROM pg_attribute
        WHERE attrelid IN (SELECT oid FROM ours)
    UNION ALL SELECT 'c' || oid || ':' || xmin FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 't' || oid || ':' || xmin FROM pg_trigger
    UNION ALL SELECT 'f' || oid || ':' || xmin FROM pg_proc WHERE pronamespace = 'public'::regnamespace
) AS parts (row)
"""
"""What changes with every change of the schema: each row of the catalogue that is ours, and who wrote it last."""


class Again:
    """Databases like a template, each of them somebody's alone from when it is given out until it is given back."""

    def __init__(self, server: Postgres, template: str) -> None:
        self._server = server
        self._template = template
        self._idle: list[str] = []
        self._rows, self._shape = self._in(template, _kept)

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a database that is as the template is."""
        name = self._idle.pop() if self._idle else self._server.copy_of(self._template)
        try:
            yield self._server.url_of(name)
        finally:
            if not (self._in(name, partial(_emptied, shape=self._shape, rows=self._rows)) and self._renamed(name)):
                self._server.drop(name)

    def _renamed(self, name: str) -> bool:
        fresh = self._server.new_name()
        with contextlib.suppress(asyncpg.ObjectInUseError):
            self._server.execute(f'ALTER DATABASE "{name}" RENAME TO "{fresh}"')
            self._idle.append(fresh)
            return True
        return False

    def _in(self, name: str, work: Callable[[Any], Awaitable[T]]) -> T:
        with ThreadPoolExecutor(1) as thread:  # a loop may be running in this one
            return thread.submit(asyncio.run, _connected(self._server.url_of(name), work)).result()


async def _connected(url: str, work: Callable[[Any], Awaitable[T]]) -> T:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), ssl=False)
    try:
        return await work(connection)
    finally:
        await connection.close()


async def _kept(connection: Any) -> tuple[dict[str, bytes], str]:
    """The rows that every table of the template has, and its shape."""
    kept = {}
    for table in await _filled(connection):
        rows = io.BytesIO()
        await connection.copy_from_table(table, output=rows, format="binary")
        kept[table] = rows.getvalue()
    return kept, await connection.fetchval(SHAPE)


async def _emptied(connection: Any, shape: str, rows: dict[str, bytes]) -> bool:
    """Whether the database is as the template is again, which it is not once its schema was touched."""
    if not await connection.fetchval(SESSIONS) or await connection.fetchval(SHAPE) != shape:
        return False
    # A replica takes rows as they come: no trigger of ours refuses it, and no reference is in the way.
    await connection.execute("SET session_replication_role = replica")
    for table in await _filled(connection):
        await connection.execute(f'DELETE FROM "{table}"')
    for table, kept in rows.items():
        await connection.copy_to_table(table, source=io.BytesIO(kept), format="binary")
    await connection.execute("SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence")
    return True


async def _filled(connection: Any) -> list[str]:
    tables = [row[0] for row in await connection.fetch(TABLES)]
    looks = [f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")" for table in tables]
    return [row[0] for row in await connection.fetch(" UNION ALL ".join(looks))]
