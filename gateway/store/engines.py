"""SQLAlchemy engines for the two databases: one to read with and one to write with."""

import sqlite3
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from gateway.errors import GatewayError
from gateway.store.sqlite_driver import OneTripDriver

BUSY_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 3.0
COMMAND_TIMEOUT_S = 30.0
POOL_SIZE = 8
NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "webdav", "9p", "drvfs", "fuse.sshfs", "ceph", "glusterfs"}
)


class UnsupportedDatabase(GatewayError):
    """The ledger is kept in SQLite (sqlite+aiosqlite:///FILE) or PostgreSQL (postgresql+asyncpg://…), not in
    '{name}'."""

    code = "unsupported-database"


class NetworkFileSystem(GatewayError):
    """SQLite cannot lock a file on the network file system '{kind}'; put the data directory on a local disk or use
    PostgreSQL."""

    code = "network-file-system"


def open_engines(url: URL) -> tuple[AsyncEngine, AsyncEngine]:
    """A reading and a writing engine. Raises: UnsupportedDatabase, NetworkFileSystem."""
    if url.drivername == "postgresql+asyncpg":
        return _open_postgres(url)
    if url.drivername == "sqlite+aiosqlite" and url.database:
        return _open_sqlite(url, Path(url.database))
    raise UnsupportedDatabase(name=url.drivername)


def _open_postgres(url: URL) -> tuple[AsyncEngine, AsyncEngine]:
    engine = create_async_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_pre_ping=True,
        pool_timeout=CONNECT_TIMEOUT_S,
        connect_args={"timeout": CONNECT_TIMEOUT_S, "command_timeout": COMMAND_TIMEOUT_S},
    )
    reading = engine.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
    return reading, engine


def _open_sqlite(url: URL, path: Path) -> tuple[AsyncEngine, AsyncEngine]:
    kind = file_system_of(path)
    if kind in NETWORK_FILE_SYSTEMS:
        raise NetworkFileSystem(kind=kind)
    sized = {"module": OneTripDriver(), "poolclass": AsyncAdaptedQueuePool, "max_overflow": 0}
    read = create_async_engine(url, pool_size=POOL_SIZE, **sized)
    # One writer a process: the pool's queue is the line, so that writers do not spin on the file's lock.
    write = create_async_engine(url, pool_size=1, **sized)
    _prepare_sqlite(read, begin="BEGIN", pragmas=("query_only=ON",))
    _prepare_sqlite(write, begin="BEGIN IMMEDIATE", pragmas=())
    return read, write


def _prepare_sqlite(engine: AsyncEngine, *, begin: str, pragmas: tuple[str, ...]) -> None:
    common = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={int(BUSY_TIMEOUT_S * 1000)}")

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver would otherwise begin on its own
        cursor = connection.cursor()
        for pragma in common + pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        driver.begin_with_next(begin)


def file_system_of(path: Path) -> str:
    """The kind of file system that holds `path` (or its nearest existing parent), such as 'ext4'; '' when unknown."""
    mounts = Path("/proc/self/mounts")
    if sys.platform != "linux" or not mounts.exists():
        return ""
    where = path.resolve()
    best, kind = "", ""
    for line in mounts.read_text(encoding="utf-8").splitlines():
        _, point, name, *_ = line.split(" ")
        if where.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, name
    return kind


def sqlite_version() -> str:
    """The version of the SQLite library in use."""
    return sqlite3.sqlite_version
