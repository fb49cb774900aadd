"""A real Unleash server of the newest version that is supported, one of the oldest, and a stand-in in trouble."""

from collections.abc import Iterator

import pytest

from flags.unleash.place import Place
from tests.integration.unleash.fake import FakeUnleash, fake_unleash
from tests.servers.postgres import Postgres
from tests.servers.unleash import ADMIN_TOKEN, ENVIRONMENT, NEWEST, OLDEST, Unleash, running_unleash


@pytest.fixture(scope="session")
def _oldest_unleash(_postgres: Postgres) -> Iterator[Unleash]:
    with running_unleash(_postgres, OLDEST) as server:
        yield server


@pytest.fixture(scope="module", params=[NEWEST, OLDEST])
def either_unleash(request: pytest.FixtureRequest) -> Unleash:
    """A server of each version, emptied once a module; a test gives its flags names of its own."""
    server: Unleash = request.getfixturevalue("_unleash" if request.param == NEWEST else "_oldest_unleash")
    server.renew()
    return server


@pytest.fixture
def fake() -> Iterator[FakeUnleash]:
    """A server that does what the test says."""
    with fake_unleash() as server:
        yield server


def place_in(server: Unleash, admin_token: str = ADMIN_TOKEN) -> Place:
    """Where the tests' flags are in a server."""
    return Place(url=server.url, project="default", environment=ENVIRONMENT, admin_token=admin_token)
