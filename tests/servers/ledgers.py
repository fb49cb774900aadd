"""Fresh ledgers in milliseconds: each database is migrated once, and every test gets one that is like it."""

import asyncio
import contextlib
import itertools
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from tests.servers.again import Again
from tests.servers.postgres import Postgres

TEMPLATE = "ledger_template"


class Ledgers:
    """Ledgers on SQLite in one folder, and on one PostgreSQL that is started when it is first needed."""

    def __init__(self, folder: Path, postgres: Callable[[], Postgres]) -> None:
        self._folder = folder
        self._postgres = postgres
        self._numbers = itertools.count(1)

    @contextlib.contextmanager
    def empty(self, database: str) -> Iterator[str]:
        """The URL of an empty database (`sqlite` or `postgresql`)."""
        if database == "sqlite":
            with self._file() as path:
                yield _sqlite_url(path)
        else:
            with self._postgres().database() as url:
                yield url

    @contextlib.contextmanager
    def migrated(self, database: str) -> Iterator[str]:
        """The URL of a ledger at the present schema (`sqlite` or `postgresql`)."""
        if database == "sqlite":
            with self._file() as path:
                shutil.copyfile(self._sqlite_template, path)
                yield _sqlite_url(path)
        else:
            with self._postgres_ledgers.database() as url:
                yield url

    @contextlib.contextmanager
    def _file(self) -> Iterator[Path]:
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        try:
            yield folder / "ledger.db"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @cached_property
    def _sqlite_template(self) -> Path:
        path = self._folder / "template.db"
        _migrate(_sqlite_url(path))
        return path

    @cached_property
    def _postgres_ledgers(self) -> Again:
        server = self._postgres()
        server.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        _migrate(server.url_of(TEMPLATE))
        return Again(server, TEMPLATE)


def _sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def _migrate(url: str) -> None:
    from gateway.store import migrate  # only tests that ask for a ledger import the product

    with ThreadPoolExecutor(1) as thread:  # a loop may be running in this one
        thread.submit(asyncio.run, migrate.upgrade(url)).result()
