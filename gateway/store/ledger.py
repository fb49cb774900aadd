"""The ledger's sessions: reading and writing are different types, and one request or job is one transaction.

`writing()` commits when its block ends and rings the bell after the commit. On SQLite a writing session begins
IMMEDIATE and there is one a process; a reading session cannot write at all, so an upgrade fails at once. On PostgreSQL
a reading session is a READ ONLY transaction.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from flags.source import FlagHome
from gateway.errors import LedgerUnavailable
from gateway.store.bell import Bell, LocalBell
from gateway.store.engines import open_engines
from gateway.store.looks import Look, RawLooks, Rows
from gateway.times import now_us

Clock = Callable[[], int]

_TURN = text("SELECT 1")
_POSTGRES_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")


class ReadSession(AsyncSession):
    """A transaction that only reads."""

    clock: Clock | None = None
    flags: FlagHome = FlagHome()
    """Where this installation's flags are kept: its ledger, or an Unleash server that gateways follow."""

    async def now_us(self) -> int:
        """The database's time in microseconds UTC; SQLite's is this machine's."""
        if self.clock is not None:
            return self.clock()
        if self.get_bind().dialect.name == "postgresql":
            return int((await self.execute(_POSTGRES_NOW)).scalar_one())
        return now_us()

    @property
    def locks_rows(self) -> bool:
        """Whether `FOR UPDATE` means something here; SQLite's writers are alone anyway."""
        return self.get_bind().dialect.name == "postgresql"


class WriteSession(ReadSession):
    """A transaction that may write; it is committed when its block ends.

    On SQLite its turn comes with its first statement, and no time is told before that.
    """

    async def now_us(self) -> int:
        """The database's time in microseconds UTC, read in the transaction's turn."""
        if not self.locks_rows:
            connection = await (await self.connection()).get_raw_connection()
            if connection.dbapi_connection.begins_with_next:  # type: ignore[union-attr]
                await self.execute(_TURN)
        return await super().now_us()


class Ledger:
    """The SQL database: all that must be true."""

    def __init__(
        self, url: URL, read: AsyncEngine, write: AsyncEngine, bell: Bell, clock: Clock | None, flags: FlagHome
    ) -> None:
        self.url = url
        self.flags = flags
        self.bell = bell
        self._read = read
        self._write = write
        self._clock = clock
        self._looks = RawLooks(Path(url.database or "")) if self.dialect == "sqlite" else None

    @classmethod
    def open(
        cls, url: str | URL, *, bell: Bell | None = None, clock: Clock | None = None, flags: FlagHome | None = None
    ) -> Self:
        """A ledger at a SQLAlchemy URL; nothing is connected before the first session.

        `flags` says where this installation's flags are kept, here unless it is said.

        Raises: NetworkFileSystem when a SQLite file lies on a file system that cannot lock.
        """
        parsed = make_url(url)
        read, write = open_engines(parsed)
        return cls(parsed, read, write, bell or LocalBell(), clock, flags or FlagHome())

    @property
    def dialect(self) -> str:
        """Either 'sqlite' or 'postgresql'."""
        return self.url.get_backend_name()

    async def close(self) -> None:
        """Close every connection."""
        if self._looks is not None:
            self._looks.close()
        await self._read.dispose()
        await self._write.dispose()

    async def ping(self) -> None:
        """Ask the database for one row. Raises: LedgerUnavailable."""
        async with self.reading() as r:
            await r.execute(text("SELECT 1"))

    async def look(self, look: Look, **values: Any) -> Rows:
        """The rows of a look, as they were committed. Raises: LedgerUnavailable."""
        if self._looks is not None:
            with suppress(sqlite3.Error):  # a session waits for locks, and tells an outage from a mistake
                return await self._looks.rows(look, values)
        async with self.reading() as r:
            return [tuple(row) for row in await r.execute(look.statement, values)]

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSession]:
        """A transaction that only reads, with one view of the data. Raises: LedgerUnavailable."""
        with _unavailable():
            async with ReadSession(self._read, expire_on_commit=False) as session:
                session.clock, session.flags = self._clock, self.flags
                yield session

    @asynccontextmanager
    async def writing(self, *, ring: bool = True) -> AsyncIterator[WriteSession]:
        """A transaction that is committed at the end of the block; then the bell rings, where somebody waits for it.

        Raises: LedgerUnavailable.
        """
        with _unavailable():
            async with WriteSession(self._write, expire_on_commit=False) as session:
                session.clock, session.flags = self._clock, self.flags
                yield session
                await session.commit()
        if ring:
            await self.bell.ring()


class _unavailable:  # noqa: N801 - reads as a statement
    """Turns a lost or busy database into LedgerUnavailable; everything else passes."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, DBAPIError) and (error.connection_invalidated or _is_outage(error)):
            raise LedgerUnavailable from error
        if isinstance(error, PoolTimeoutError | ConnectionError):
            raise LedgerUnavailable from error


def _is_outage(error: DBAPIError) -> bool:
    """A lost, busy or full database; a statement that SQLite refuses for what it says is a bug and passes."""
    wrong_statement = getattr(error.orig, "sqlite_errorname", None) in {"SQLITE_ERROR", "SQLITE_READONLY"}
    return isinstance(error, OperationalError | InterfaceError) and not wrong_statement
