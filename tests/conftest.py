"""What every test may ask for: real servers, fresh databases, a browser, the environments of the stock clients."""

import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.servers import clients
from tests.servers.chromium import (
    browser,
    browser_context_args,
    browser_type,
    browser_type_launch_args,
    launch_browser,
    playwright,
)
from tests.servers.postgres import Postgres, running_postgres
from tests.servers.process import MissingPart
from tests.servers.process import free_port as some_free_port
from tests.servers.redis import Redis, running_redis

# Fixtures are found by name in this module.
__all__ = [
    "browser",
    "browser_context_args",
    "browser_type",
    "browser_type_launch_args",
    "launch_browser",
    "playwright",
]
IN_CI = os.environ.get("CI") == "true"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing is skipped: a skip is a failure there. A missing part fails anywhere, with one sentence."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, MissingPart):
        report.longrepr = str(call.excinfo.value)
    elif IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI nothing is: {report.longrepr}"
    return report


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A function that gives a port of the loopback on which nobody listens, another one each time."""
    return some_free_port


@pytest.fixture(scope="session")
def _postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def _redis() -> Iterator[Redis]:
    with running_redis() as server:
        yield server


@pytest.fixture
def postgres_url(_postgres: Postgres) -> Iterator[str]:
    """A fresh, empty PostgreSQL database."""
    with _postgres.database() as url:
        yield url


@pytest.fixture
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL server of the test's own, to stop, kill, pause and start again."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def redis_url(_redis: Redis) -> str:
    """A Redis with nothing in it."""
    _redis.flush()
    return _redis.url


@pytest.fixture
def redis_server() -> Iterator[Redis]:
    """A Redis server of the test's own, to stop, kill, pause and start again."""
    with running_redis() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database for a ledger, once on SQLite and once on PostgreSQL."""
    with contextlib.ExitStack() as stack:
        if request.param == "sqlite":
            yield f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}"
        else:
            server: Postgres = request.getfixturevalue("_postgres")
            yield stack.enter_context(server.database())


@pytest.fixture(scope="session")
def client_python() -> Callable[[str], Path]:
    """A function from `triton` or `kserve` to the Python of an environment that holds this stock client."""
    return clients.client_python
