"""SQLite on a thread of each connection's own, with one trip to it for each statement.

SQLAlchemy's adapter of aiosqlite makes four trips for a statement: to open a cursor, to execute, to fetch, to close. A
trip costs more than what most statements do, and each one waits for the interpreter's lock twice. Here the connection's
thread does all four at once; everything else is the adapter's own.
"""

import sqlite3
from collections import deque
from collections.abc import Sequence
from typing import Any

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util.concurrency import await_


class _Unopened:
    """What a cursor says before it has executed anything."""

    description = None
    rowcount = -1
    arraysize = 1
    lastrowid = None


class OneTripCursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that executes, fetches and closes in one trip."""

    __slots__ = ()

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    def _make_new_cursor(self, _connection: Any) -> Any:
        return _Unopened

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        await self._run(sqlite3.Cursor.execute, operation, parameters or ())

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._run(sqlite3.Cursor.executemany, operation, seq_of_parameters)

    async def _run(self, execute: Any, operation: str, parameters: Sequence[Any]) -> None:
        async with self._adapt_connection._execute_mutex:
            connection = self._connection
            self._cursor, rows = await connection._execute(_trip, connection._conn, execute, operation, parameters)
            self._rows = deque(rows)

    async def _async_soft_close(self) -> None:
        """Closed already."""

    def close(self) -> None:
        """Drop the rows that nobody fetched."""
        self._rows.clear()


def _trip(
    connection: sqlite3.Connection, execute: Any, operation: str, parameters: Sequence[Any]
) -> tuple[sqlite3.Cursor, list[Any]]:
    """In the connection's thread: the closed cursor, which still tells its description and counts, and all rows."""
    cursor = connection.cursor()
    try:
        execute(cursor, operation, parameters)
        return cursor, cursor.fetchall() if cursor.description else []
    finally:
        cursor.close()


class OneTripConnection(AsyncAdapt_aiosqlite_connection):
    """A connection whose cursors make one trip."""

    __slots__ = ()
    _cursor_cls = OneTripCursor


class OneTripDriver(AsyncAdapt_aiosqlite_dbapi):
    """The driver for `create_async_engine(…, module=…)`."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *args: Any, **options: Any) -> OneTripConnection:
        """A connection, opened in a thread of its own that ends with the process."""
        opening: Any = aiosqlite.connect(*args, **options)
        opening._thread.daemon = True
        return OneTripConnection(self, await_(opening))
