"""Real servers, the newest and the oldest: flags mean what they mean to Unleash's own client, and usage arrives."""

from collections.abc import Iterator
from itertools import product

import msgspec
import pytest
from UnleashClient import UnleashClient
from UnleashClient.cache import BaseCache
from UnleashClient.utils import InstanceAllowType

from flags.context import RequestFacts, evaluation_context
from flags.folding import FoldedFlags, fold
from flags.unleash.server import Trouble, UnleashServer
from gateway.times import now_us
from tests.integration.unleash.fake import Notebook, following, until
from tests.servers.postgres import Postgres
from tests.servers.unleash import CLIENT_TOKEN, ENVIRONMENT, NEWEST, OLDEST, Unleash, UnleashAdmin, running_unleash

FACTS = RequestFacts(
    model="m", tenant="t1", caller="c", sticky_key="k", now_us=1_800_000_000_000_000, environment=ENVIRONMENT
)
CAREFUL = {"type": "json", "value": '{"release": "m@1", "hold_below": 0.9}'}
VARIANTS = [
    {"name": "careful", "weight": 300, "weightType": "fix", "stickiness": "userId", "payload": CAREFUL},
    {"name": "bold", "weight": 700, "weightType": "variable", "stickiness": "userId"},
]


class InMemory(BaseCache):
    """A cache of the oracle's own."""

    def __init__(self) -> None:
        self._kept: dict[str, object] = {}

    def set(self, key: str, value: object) -> None:
        """Keep a value."""
        self._kept[key] = value

    def mset(self, data: dict[str, object]) -> None:
        """Keep values."""
        self._kept |= data

    def get(self, key: str, default: object = None) -> object:
        """A kept value."""
        return self._kept.get(key, default)

    def exists(self, key: str) -> bool:
        """Whether it is kept."""
        return key in self._kept

    def destroy(self) -> None:
        """Forget everything."""
        self._kept.clear()


@pytest.fixture(scope="module", params=[NEWEST, OLDEST])
def server(request: pytest.FixtureRequest, _postgres: Postgres) -> Iterator[Unleash]:
    """A real server with flags of every kind: the run's own where it is the newest."""
    if request.param == NEWEST:
        found: Unleash = request.getfixturevalue("shared_unleash")
        define(found.admin)
        yield found
    else:
        with running_unleash(_postgres, request.param) as started:
            define(started.admin)
            yield started


def define(admin: UnleashAdmin) -> None:
    """One flag for each thing that a definition may read."""
    tenants = {"contextName": "tenant", "operator": "IN", "values": ["t1", "t2"]}
    old = {"contextName": "version", "operator": "SEMVER_LT", "value": "2.0.0", "inverted": True}
    here = {"contextName": "environment", "operator": "IN", "values": [ENVIRONMENT]}
    ours = {"contextName": "appName", "operator": "IN", "values": ["lockgate"]}
    for field in ("tenant", "version"):
        admin.field(field)
    segment = admin.segment("tenants", [tenants])
    strategies = {
        "everybody": {},
        "quarter": {"rollout": 25, "stickiness": "userId"},
        "by-session": {"rollout": 50, "stickiness": "sessionId"},
        "tenants": {"constraints": [tenants]},
        "segment": {"segments": [segment], "rollout": 80},
        "version": {"constraints": [old]},
        "here": {"constraints": [here, ours]},
        "variants": {"stickiness": "userId", "variants": VARIANTS},
        "child": {},
        "grudging": {},
        "m.automated": {"variants": [{**VARIANTS[1], "weight": 1000}]},
    }
    for flag, strategy in strategies.items():
        admin.create(flag)
        admin.strategy(flag, **strategy)
        admin.on(flag)
    admin.depends("child", "quarter")
    admin.depends("grudging", "quarter", enabled=False)
    admin.create("off")
    admin.strategy("off")


def oracle(server: Unleash) -> UnleashClient:
    """Unleash's own client with an engine of its own."""
    return UnleashClient(
        url=server.api_url,
        app_name="lockgate",
        environment=ENVIRONMENT,
        custom_headers={"Authorization": CLIENT_TOKEN},
        cache=InMemory(),
        disable_metrics=True,
        multiple_instance_mode=InstanceAllowType.SILENTLY_ALLOW,
    )


def of_oracle(client: UnleashClient, flag: str, facts: RequestFacts) -> tuple[bool, str | None, str | None]:
    """What Unleash's own client says; it adds the application and the environment itself."""
    context = msgspec.to_builtins(evaluation_context(facts))
    del context["appName"], context["environment"]
    said = client.get_variant(flag, context)
    payload = said.get("payload") or {}
    return (
        (said["feature_enabled"], said["name"], payload.get("value"))
        if said["enabled"]
        else (said["feature_enabled"], None, None)
    )


def of_ours(folded: FoldedFlags, flag: str, facts: RequestFacts) -> tuple[bool, str | None, str | None]:
    """What our engine says of the fetched state."""
    answer = folded.answer(flag, facts)
    return answer.enabled, answer.variant, answer.payload


def requests() -> Iterator[RequestFacts]:
    """Requests that differ in whatever the flags read."""
    users, sessions, versions = [None, *(f"u{n}" for n in range(12))], (None, "s1", "s2"), (None, "1.4.0", "2.1.0")
    for user, session, tenant, version in product(users, sessions, ("t1", "t3"), versions):
        properties = {} if version is None else {"version": version}
        yield msgspec.structs.replace(
            FACTS, user_id=user, session_id=session, tenant=tenant, properties=properties, sticky_key=f"{user}"
        )


async def test_a_wrong_token_is_named(server: Unleash) -> None:
    """Either server refuses it, nothing is loaded, and every flag stays on its safe side."""
    notes = Notebook()
    wrong = UnleashServer(url=server.api_url, token=f"{CLIENT_TOKEN}x", instance="tests", refresh_s=1, usage_s=0)
    async with following(wrong, notes) as flags:
        await until(lambda: notes.failures, "a failure")
        assert {failure.trouble for failure in notes.failures} == {Trouble.REFUSED}
        view = flags.view(FACTS)
    assert (view.loaded, view.automated.enabled) == (False, False)


async def test_flags_mean_what_they_mean_to_unleash(server: Unleash) -> None:
    """Toggles, rollouts, constraints, segments, variants and dependencies answer alike, and usage is shown there."""
    await until(lambda: len(server.flags()) == 12, "every flag")
    ours = UnleashServer(url=server.api_url, token=CLIENT_TOKEN, instance="tests", refresh_s=1, usage_s=1)
    notes = Notebook()
    async with following(ours, notes) as flags:
        await until(lambda: flags.state, "the state")
        asked = [flags.view(facts).automated for facts in (FACTS, FACTS)]
        folded = fold(notes.states[-1].body)
        with oracle(server) as client:
            flags_asked = sorted(server.flags())
            differ = [
                (flag, facts)
                for facts in requests()
                for flag in flags_asked
                if of_ours(folded, flag, facts) != of_oracle(client, flag, facts)
            ]
        assert differ == []
        assert flags.environment == ENVIRONMENT
        assert flags.health(now_us()).version > 0
    assert [answer.variant for answer in asked] == ["bold", "bold"]
    await until(lambda: used(server.admin), "the usage on the server's own screen")
    assert used(server.admin) == [(2, 0, {"bold": 2})]
    await until(lambda: server.admin.applications() == ["lockgate"], "the application on the server's own screen")


def used(admin: UnleashAdmin) -> list[tuple[int, int, dict[str, int]]]:
    """What the server shows of `m.automated`, hour by hour."""
    hours = admin.usage("m.automated")
    return [(hour["yes"], hour["no"], hour["variants"]) for hour in hours if hour["yes"] or hour["no"]]
