"""What gateways fetched is in the ledger under its digest, whatever was away when, and is what they boot from."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from flags.context import RequestFacts
from flags.definitions import with_model_flags
from flags.embedded import EmbeddedFlags
from flags.errors import FlagsElsewhere
from flags.folding import fold
from flags.source import UNLEASH, FlagHome
from flags.store import NO_FLAGS, Authorship
from flags.unleash.fetched import fetched_state
from flags.unleash.following import UnleashFlags
from flags.unleash.server import UnleashServer
from gateway.registry.fetching import fetching
from gateway.store.fetched_flags import FetchedFlags, fetched_flags, keep_fetched, note_failure
from gateway.store.flags import LedgerFlagStore, current_state
from gateway.store.ledger import Ledger
from gateway.store.schema.flags import FlagStateRow
from gateway.store.schema.plumbing import EventRow
from gateway.store.schema.who import TenantRow
from gateway.times import now_us
from review.rollouts.hand import EmbeddedHand, off
from tests.integration.unleash.fake import TOKEN, FakeUnleash, feature, until
from tests.servers.process import free_port

AWAY = "postgresql+asyncpg://nobody@127.0.0.1:1/none"
HOME = FlagHome(source=UNLEASH, url="http://unleash.example.org")
FACTS = RequestFacts(model="m", tenant="t", caller="c", sticky_key="k", now_us=1_800_000_000_000_000)
ON, OFF = feature("m.automated"), feature("m.automated", enabled=False)


def nowhere() -> UnleashServer:
    """A server that is away."""
    return UnleashServer(url=f"http://127.0.0.1:{free_port()}/api", token=TOKEN, instance="i", refresh_s=1, usage_s=0)


async def kept(ledger: Ledger) -> FetchedFlags | None:
    """What the ledger knows of the latest fetched state."""
    async with ledger.reading() as r:
        return await fetched_flags(r)


async def events(ledger: Ledger) -> list[str]:
    """The events of fetched flags, the oldest first."""
    async with ledger.reading() as r:
        rows = await r.execute(select(EventRow.type).where(EventRow.subject == "flags:unleash"))
        return list(rows.scalars())


async def states(ledger: Ledger) -> set[str]:
    """The digests of every state that was kept."""
    async with ledger.reading() as r:
        return set((await r.execute(select(FlagStateRow.sha256))).scalars())


async def until_kept(ledger: Ledger, flags: UnleashFlags, version: int) -> FetchedFlags:
    """What the ledger knows, once it knows this revision, and so does the gateway."""
    async with asyncio.timeout(30):
        while True:
            found = await kept(ledger)
            if found is not None and found.state.version == version and flags.health(now_us()).version == version:
                return found
            await asyncio.sleep(0.01)


async def test_every_state_is_kept_and_a_decision_can_be_made_again(
    ledger_url: str, fake: FakeUnleash, tmp_path: Path
) -> None:
    """Each distinct state once, one event for each that came into force, and the same answers from what was kept."""
    ledger = Ledger.open(ledger_url, flags=HOME)
    fake.say(OFF, revision=1)
    async with fetching(fake.at(), ledger, tmp_path / "kept") as flags:
        first = await until_kept(ledger, flags, 1)
        decided = {flags.view(FACTS)}
        for revision, said in ((2, ON), (3, OFF)):
            fake.say(said, revision=revision)
            last = await until_kept(ledger, flags, revision)
            decided.add(flags.view(FACTS))
    assert last.state.digest == first.state.digest
    assert last.known_us is not None
    assert last.error is None
    assert await events(ledger) == ["flags.fetched"] * 3
    assert len(decided) == 2
    async with ledger.reading() as r:
        store = LedgerFlagStore(ledger, (await r.execute(select(TenantRow.id))).scalars().first())
        assert (await current_state(r)).digest == last.state.digest
    for view in decided:
        assert fold(await store.body(view.state)).view(FACTS) == view
    assert await states(ledger) == {NO_FLAGS.digest, *(view.state for view in decided)}
    await ledger.close()


async def test_a_gateway_boots_with_the_last_good_state(ledger_url: str, fake: FakeUnleash, tmp_path: Path) -> None:
    """With the server away a new gateway answers at once with what the ledger kept, and says how old that is."""
    ledger = Ledger.open(ledger_url, flags=HOME)
    fake.say(ON, revision=7)
    async with fetching(fake.at(), ledger, tmp_path / "one") as flags:
        found = await until_kept(ledger, flags, 7)
    async with fetching(nowhere(), ledger, tmp_path / "another") as flags:
        assert flags.view(FACTS).automated.enabled
        assert flags.state == found.state.digest
        at_us = now_us()
        assert flags.age_s(at_us) == pytest.approx((at_us - found.known_us) / 1e6)
        await until(lambda: flags.health(now_us()).error, "a named failure")
        assert flags.view(FACTS).automated.enabled
    await ledger.close()


async def test_what_was_fetched_while_the_ledger_was_away_is_kept_later(
    sqlite_ledger_url: str, fake: FakeUnleash, tmp_path: Path
) -> None:
    """States wait in the gateway's file, through a restart of it; it boots from them, and the ledger gets them all."""
    away, ledger = Ledger.open(AWAY, flags=HOME), Ledger.open(sqlite_ledger_url, flags=HOME)
    decided = []
    async with fetching(fake.at(), away, tmp_path / "kept") as flags:
        for revision, said in ((1, OFF), (2, ON)):
            fake.say(said, revision=revision)
            await until(lambda at=revision: flags.health(now_us()).version == at, f"revision {revision}")
            decided.append(flags.state)
    async with fetching(nowhere(), away, tmp_path / "kept") as flags:
        assert flags.state == decided[-1]
    async with fetching(nowhere(), ledger, tmp_path / "kept") as flags:
        await until_kept(ledger, flags, 2)
    assert await states(ledger) >= set(decided)
    assert await events(ledger) == ["flags.fetched"]
    await ledger.close()


async def test_whoever_heard_the_server_last_is_believed(ledger_url: str) -> None:
    """A gateway that lags writes its state and nothing else; a failure is shown until somebody hears the server."""
    ledger = Ledger.open(ledger_url, flags=HOME)
    old, new = (fetched_state(body) for body in (b'{"features":[]}', b'{"features":[{"name":"m","enabled":true}]}'))
    assert await kept(ledger) is None
    async with ledger.writing() as w:
        await note_failure(w, "The server is away.")
    found = await kept(ledger)
    assert (found.state.version, found.known_us, found.error) == (0, None, "The server is away.")
    async with ledger.writing() as w:
        await keep_fetched(w, (new,), new, 2_000)
    async with ledger.writing() as w:
        await keep_fetched(w, (old,), old, 1_000)
    found = await kept(ledger)
    assert (found.state.digest, found.known_us, found.error) == (new.digest, 2_000, None)
    async with ledger.writing() as w:
        await note_failure(w, "The server is away.")
    async with ledger.writing() as w:
        await keep_fetched(w, (), new, 3_000)
    found = await kept(ledger)
    assert (found.state.digest, found.known_us, found.error) == (new.digest, 3_000, None)
    assert await events(ledger) == ["flags.fetched"]
    assert await states(ledger) == {NO_FLAGS.digest, old.digest, new.digest}
    await ledger.close()


async def test_nothing_here_changes_the_flags_of_a_server(ledger_url: str) -> None:
    """Whatever would write a change of a flag is refused with the server's name, and nothing is written."""
    ledger = Ledger.open(ledger_url, flags=HOME)
    async with ledger.reading() as r:
        tenant_id = (await r.execute(select(TenantRow.id))).scalars().first()
    flags = EmbeddedFlags(LedgerFlagStore(ledger, tenant_id))
    author = Authorship(by="person:olga@example.org", why="A test.", at_us=now_us())
    with pytest.raises(FlagsElsewhere, match=HOME.url):
        await flags.change(lambda state: with_model_flags(state, "m"), ("m.automated",), author)
    async with ledger.writing() as w:
        with pytest.raises(FlagsElsewhere, match=HOME.url):
            await EmbeddedHand().turn(w, tenant_id, "m.automated", off("m.automated"), author)
    assert await states(ledger) == set()
    await ledger.close()
