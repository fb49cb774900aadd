"""SQLite on a thread of each connection's own, with as few trips to it as can be.

A trip costs more than what most statements do: two changes of thread, each waiting for the interpreter's lock.
SQLAlchemy's adapter of aiosqlite makes four for a statement (to open a cursor, to execute, to fetch, to close), one to
begin and one to roll back. Here a statement is one trip that does all four; a transaction begins on the trip of its
first statement; and nobody waits for a rollback, since whatever the connection does next stands in line behind it.
Everything else is the adapter's own.
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
    _adapt_connection: "OneTripConnection"

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
            begin = self._adapt_connection.take_begin()
            connection = self._connection
            trip = connection._execute(_trip, connection._conn, begin, execute, operation, parameters)
            self._cursor, rows = await trip
            self._rows = deque(rows)

    async def _async_soft_close(self) -> None:
        """Closed already."""

    def close(self) -> None:
        """Drop the rows that nobody fetched."""
        self._rows.clear()


def _trip(
    connection: sqlite3.Connection, begin: str, execute: Any, operation: str, parameters: Sequence[Any]
) -> tuple[sqlite3.Cursor, list[Any]]:
    """In the connection's thread: the closed cursor, which still tells its description and counts, and all rows."""
    if begin:
        connection.execute(begin)
    cursor = connection.cursor()
    try:
        execute(cursor, operation, parameters)
        return cursor, cursor.fetchall() if cursor.description else []
    finally:
        cursor.close()


class OneTripConnection(AsyncAdapt_aiosqlite_connection):
    """A connection whose transactions begin with their first statement, and whose cursors make one trip."""

    __slots__ = ("_begin",)
    _cursor_cls = OneTripCursor

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self._begin = ""

    def begin_with_next(self, statement: str) -> None:
        """Begin a transaction by this statement, on the trip of the next one."""
        self._begin = statement

    @property
    def begins_with_next(self) -> bool:
        """Whether the transaction still has to begin."""
        return bool(self._begin)

    def take_begin(self) -> str:
        """The statement that begins the transaction, once; '' when it has begun."""
        begin, self._begin = self._begin, ""
        return begin

    def commit(self) -> None:
        """Commit, unless nothing was executed."""
        if not self.take_begin():
            super().commit()

    def rollback(self) -> None:
        """Roll back, without waiting for it; a transaction in which nothing was executed was never begun."""
        driver: Any = self._connection
        if not self.take_begin() and driver._connection is not None:
            driver._tx.put_nowait((None, driver._connection.rollback))


class OneTripDriver(AsyncAdapt_aiosqlite_dbapi):
    """The driver for `create_async_engine(…, module=…)`."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *args: Any, **options: Any) -> OneTripConnection:
        """A connection, opened in a thread of its own that ends with the process."""
        opening: Any = aiosqlite.connect(*args, **options)
        opening._thread.daemon = True
        return OneTripConnection(self, await_(opening))
