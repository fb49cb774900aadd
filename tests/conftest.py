"""What every test may ask for: real servers, fresh databases, a browser, the environments of the stock clients."""

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers import environments
from tests.servers.chromium import (
    browser,
    browser_context_args,
    browser_type,
    browser_type_launch_args,
    launch_browser,
    playwright,
)
from tests.servers.ledgers import Ledgers
from tests.servers.lockgate import Lockgate, running_lockgate
from tests.servers.postgres import Postgres, running_postgres
from tests.servers.process import MissingPart
from tests.servers.process import free_port as some_free_port
from tests.servers.redis import Redis, running_redis
from tests.servers.unleash import Unleash, running_unleash

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
# What tests start keeps what it has compiled: a stock client is started ten times, and compiles for seconds each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long an example takes says nothing on a machine that runs servers and a browser beside it.
settings.register_profile("lockgate", deadline=None)
settings.load_profile("lockgate")


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


@pytest.fixture(scope="session")
def _unleash(_postgres: Postgres) -> Iterator[Unleash]:
    with running_unleash(_postgres) as server:
        yield server


@pytest.fixture
def unleash(_unleash: Unleash) -> Unleash:
    """An Unleash server without flags, to stop, kill, pause and start again; one for the whole run."""
    _unleash.renew()
    return _unleash


@pytest.fixture(scope="module")
def shared_unleash(_unleash: Unleash) -> Unleash:
    """The same, emptied once a module: for tests that do not take it away from each other, and ask for no `unleash`."""
    _unleash.renew()
    return _unleash


@pytest.fixture(scope="session")
def _ledgers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ledgers:
    return Ledgers(tmp_path_factory.mktemp("ledgers"), lambda: request.getfixturevalue("_postgres"))


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, _ledgers: Ledgers) -> Iterator[str]:
    """The URL of a fresh, migrated ledger, once on SQLite and once on PostgreSQL."""
    with _ledgers.migrated(request.param) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_ledger_url(request: pytest.FixtureRequest, _ledgers: Ledgers) -> Iterator[str]:
    """The URL of an empty database for a ledger, once on SQLite and once on PostgreSQL."""
    with _ledgers.empty(request.param) as url:
        yield url


@pytest.fixture
def sqlite_ledger_url(_ledgers: Ledgers) -> Iterator[str]:
    """The URL of a fresh, migrated ledger on SQLite, where the database makes no difference."""
    with _ledgers.migrated("sqlite") as url:
        yield url


@pytest.fixture
def postgres_ledger_url(_ledgers: Ledgers) -> Iterator[str]:
    """The URL of a fresh, migrated ledger on PostgreSQL, where only that will do."""
    with _ledgers.migrated("postgresql") as url:
        yield url


@pytest.fixture
def lockgate(tmp_path: Path) -> Iterator[Lockgate]:
    """A `lockgate serve` of the test's own, started, with a first admin."""
    with running_lockgate(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def shared_lockgate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lockgate]:
    """A `lockgate serve` for the tests of a module that do not take it away from each other."""
    with running_lockgate(tmp_path_factory.mktemp("lockgate")) as server:
        yield server


@pytest.fixture(scope="session")
def client_python() -> Callable[[str], Path]:
    """A function from `triton` or `kserve` to the Python of an environment that holds this stock client."""
    return environments.client_python
