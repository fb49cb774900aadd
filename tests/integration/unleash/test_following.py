"""Following a server through Unleash's own client: what is adopted, what is confirmed, and what goes wrong by name."""

import math

import msgspec
import pytest

from flags.context import RequestFacts
from flags.unleash.server import Trouble, UnleashServer
from gateway.times import now_us
from tests.integration.unleash.fake import TOKEN, FakeUnleash, Notebook, feature, following, until
from tests.servers.process import free_port

FACTS = RequestFacts(model="m", tenant="t", caller="c", sticky_key="k", now_us=1_800_000_000_000_000)


async def test_a_changed_flag_is_adopted_and_an_unchanged_one_confirmed(fake: FakeUnleash) -> None:
    """A new revision takes effect with the next fetch; a 304 makes the state in force young again."""
    notes = Notebook()
    fake.say(feature("m.automated", enabled=False))
    async with following(fake.at(), notes) as flags:
        await until(lambda: flags.state, "the first state")
        assert not flags.view(FACTS).automated.enabled
        await until(lambda: len(notes.known) > 1, "a confirmation")
        assert len(notes.states) == 1
        assert notes.known[1] > notes.known[0]
        fake.say(feature("m.automated"), revision=2)
        await until(lambda: flags.view(FACTS).automated.enabled, "the flip")
        health = flags.health(now_us())
        assert (health.source, health.version, health.error) == ("unleash", 2, None)
        assert [state.version for state in notes.states] == [1, 2]
        assert flags.view(FACTS).state == notes.states[-1].digest
    assert fake.asked[0] == ""
    assert '"1"' in fake.asked


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (401, b"{}", Trouble.REFUSED),
        (500, b"{}", Trouble.UNEXPECTED),
        (200, b"<html>sign in</html>", Trouble.UNREADABLE),
        (200, b'{"features": [{"name": 1}]}', Trouble.UNREADABLE),
    ],
)
async def test_an_answer_that_is_none_is_named(fake: FakeUnleash, status: int, body: bytes, trouble: Trouble) -> None:
    """Whatever the server says instead of its flags, the state in force stays, and grows old under the right name."""
    notes = Notebook()
    fake.say(feature("m.automated"))
    async with following(fake.at(), notes) as flags:
        await until(lambda: flags.state, "the first state")
        before = flags.state
        fake.status, fake.body, fake.etag = status, body, '"of no state"'
        await until(lambda: notes.failures, "a failure")
        known = notes.known[-1]
        await until(lambda: len(notes.failures) > 1, "the same, not confirmed by the ETag of what could not be loaded")
        assert {failure.trouble for failure in notes.failures} == {trouble}
        assert notes.known[-1] == known
        assert flags.state == before
        assert flags.view(FACTS).automated.enabled
        assert flags.health(now_us()).error == notes.failures[-1].said
        fake.say(feature("m.automated", enabled=False), revision=3)
        await until(lambda: not flags.view(FACTS).automated.enabled, "recovery")
        assert flags.health(now_us()).error is None


async def test_a_server_that_takes_requests_and_answers_none_is_silent(fake: FakeUnleash) -> None:
    """Opening comes back, the failure is named, nothing is loaded; what the server says later is heard."""
    notes = Notebook()
    fake.say(feature("m.automated"))
    fake.hang()
    async with following(fake.at(), notes) as flags:
        await until(lambda: notes.failures, "a failure")
        assert notes.failures[0].trouble is Trouble.SILENT
        assert flags.age_s(now_us()) == math.inf
        assert not flags.view(FACTS).loaded
        fake.go_on()
        await until(lambda: flags.view(FACTS).automated.enabled, "the first state")


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    """Nobody listens: the failure is named, and the caller of a flag is answered with the safe side."""
    notes = Notebook()
    nowhere = UnleashServer(
        url=f"http://127.0.0.1:{free_port()}/api", token=TOKEN, instance="i", refresh_s=1, usage_s=0
    )
    async with following(nowhere, notes) as flags:
        await until(lambda: notes.failures, "a failure")
        assert notes.failures[0].trouble is Trouble.UNREACHABLE
        assert not flags.view(FACTS).loaded


async def test_an_address_that_cannot_be_one_is_named() -> None:
    """What the client raises while it is opened ends nothing."""
    notes = Notebook()
    nonsense = UnleashServer(url="http://[/api", token=TOKEN, instance="i", refresh_s=1, usage_s=0)
    async with following(nonsense, notes):
        await until(lambda: notes.failures, "a failure")
        assert notes.failures[0].trouble is Trouble.UNREACHABLE


async def test_usage_is_told_and_what_was_refused_is_told_again(fake: FakeUnleash) -> None:
    """Counts reach the server under its own names; those it did not take come with the next, or at the end."""
    notes = Notebook()
    fake.say(feature("m.automated", variants=[{"name": "careful", "weight": 1000}]))
    async with following(fake.at(usage_s=1), notes) as flags:
        await until(lambda: flags.state, "the first state")
        fake.taking = 503
        flags.view(FACTS)
        await until(lambda: False in notes.reports, "a report that was not taken")
        fake.taking = 202
        await until(lambda: True in notes.reports, "a report that was taken")
        flags.view(msgspec.structs.replace(FACTS, model="other"))
    first, last = (told["bucket"]["toggles"] for told in fake.told[-2:])
    assert first["m.automated"] == {"yes": 1, "no": 0, "variants": {"careful": 1}}
    assert first["m.shadow"] == {"yes": 0, "no": 1, "variants": {}}
    assert last["other.automated"]["no"] == 1
    assert {told["appName"] for told in fake.told} == {"lockgate"}
