"""Looks: statements that are asked again and again and mostly find nothing, at the price of running them.

A session costs milliseconds for a statement that SQLite runs in microseconds: it is built or found again, makes a trip
to another thread, begins and ends a transaction. A look is compiled once. On SQLite it runs on a connection that does
nothing else, each time with a view of its own; wherever that cannot be done, and on PostgreSQL, in a session like any
other statement.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Select, literal_column
from sqlalchemy.dialects import sqlite

Rows = Sequence[Sequence[Any]]
THERE: ColumnElement[int] = literal_column("1")
"""What is selected by a look that only wants to know whether there is a row."""


class Look:
    """A statement whose rows are wanted as the driver has them: a UUID of SQLite's is 16 bytes.

    An `indexed` one is answered by an index in some microseconds; others run in a thread, for their time may grow.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]], *, indexed: bool = True) -> None:
        self.statement = statement
        self.indexed = indexed
        self._compiled: tuple[str, dict[str, Any]] | None = None

    def run(self, connection: sqlite3.Connection, values: dict[str, Any]) -> Rows:
        """The rows that the statement has with these values. Raises: sqlite3.Error."""
        self._compiled = self._compiled or self._compile(values)
        text, standing = self._compiled
        return connection.execute(text, standing | values).fetchall()

    def _compile(self, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """SQLite's text of the statement, and the values that stand in it."""
        compiled = self.statement.compile(dialect=sqlite.dialect(paramstyle="named"))
        whole = compiled.construct_expanded_state(values)
        return whole.statement, dict(whole.parameters)


class RawLooks:
    """Runs looks on a SQLite file: indexed ones on the loop, the others in a thread. Not for several loops."""

    def __init__(self, path: Path) -> None:
        self._uri = f"{path.absolute().as_uri()}?mode=rw"
        self._near: sqlite3.Connection | None = None
        self._far: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def rows(self, look: Look, values: dict[str, Any]) -> Rows:
        """The rows of a look. Raises: sqlite3.Error."""
        if look.indexed:
            self._near = self._near or self._open()
            return look.run(self._near, values)
        self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="looks")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._far_rows, look, values)

    def close(self) -> None:
        """Close what was opened."""
        if self._near is not None:
            self._near.close()
            self._near = None
        if self._thread is not None:
            self._thread.submit(self._close_far)
            self._thread.shutdown(wait=False)
            self._thread = None

    def _far_rows(self, look: Look, values: dict[str, Any]) -> Rows:
        self._far = self._far or self._open()
        return look.run(self._far, values)

    def _close_far(self) -> None:
        if self._far is not None:
            self._far.close()
            self._far = None

    def _open(self) -> sqlite3.Connection:
        """A connection that cannot write, waits for no lock, and is between transactions after each statement."""
        connection = sqlite3.connect(self._uri, uri=True, isolation_level=None, timeout=0)
        connection.execute("PRAGMA query_only=ON")
        return connection
