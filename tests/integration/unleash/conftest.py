"""A real Unleash server of the newest version that is supported, one of the oldest, and a stand-in in trouble."""

from collections.abc import Iterator

import httpx
import pytest

from flags.unleash.fetched import fetched_state
from flags.unleash.place import Place
from gateway.store.fetched_flags import keep_fetched
from gateway.store.ledger import Ledger
from gateway.times import now_us
from tests.integration.unleash.fake import FakeUnleash, fake_unleash
from tests.servers.postgres import Postgres
from tests.servers.process import until
from tests.servers.unleash import ADMIN_TOKEN, CLIENT_TOKEN, ENVIRONMENT, NEWEST, OLDEST, Unleash, running_unleash

SHOWN_S = 90.0


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


async def keep_latest(ledger: Ledger, server: Unleash) -> str:
    """Keep what clients are sent, as a gateway would, once that contains the latest event that counts; its digest."""
    events = server.admin.call("GET", "/events?limit=100")["events"]
    latest = max(one["id"] for one in events if one["featureName"] or one["type"] == "segment-updated")
    headers = {"Authorization": CLIENT_TOKEN, "Unleash-Client-Spec": "5.1.9"}
    answers: list[bytes] = []

    def shown() -> bool:
        url = f"{server.api_url}/client/features"
        answers.append(httpx.get(url, headers=headers, timeout=30, trust_env=False).content)
        return fetched_state(answers[-1]).version >= latest

    until(shown, "a state that contains the latest event", SHOWN_S)
    state = fetched_state(answers[-1])
    async with ledger.writing() as w:
        await keep_fetched(w, (), state, now_us())
    return state.digest
