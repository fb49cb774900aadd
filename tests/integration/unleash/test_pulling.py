"""What is changed in real Unleash servers, of the newest version and of an old one, becomes our history."""

from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from flags.source import UNLEASH, FlagHome
from flags.store import FlagChange
from gateway.store.events import events_about
from gateway.store.flags import LedgerFlagStore
from gateway.store.ledger import Ledger
from gateway.times import now_us
from review.unleash.pulling import pull_changes
from tests.integration.unleash.conftest import keep_latest, place_in
from tests.servers.unleash import Unleash
from tests.worlds import World, build_world

FLAG = "sentiment.automated"


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger with the model `sentiment`, and a server whose flags it keeps as a gateway would."""

    ledger: Ledger
    server: Unleash
    world: World

    async def follow(self) -> str:
        """Keep what clients are sent; its digest."""
        return await keep_latest(self.ledger, self.server)

    async def pull(self) -> int:
        """Pull once."""
        return await pull_changes(self.ledger, place_in(self.server), now_us())

    async def history(self) -> Sequence[FlagChange]:
        """The changes of the flag, the latest first."""
        return await LedgerFlagStore(self.ledger, self.world.tenant_id).history(FLAG)


@pytest.fixture
async def followed(either_unleash: Unleash, sqlite_ledger_url: str) -> AsyncIterator[Followed]:
    """A server with the model's flag, off, followed for the first time."""
    either_unleash.admin.clear()
    either_unleash.admin.create(FLAG)
    ledger = Ledger.open(sqlite_ledger_url, flags=FlagHome(source=UNLEASH, url=either_unleash.url))
    async with ledger.writing() as w:
        world = await build_world(w, now_us=await w.now_us())
    opened = Followed(ledger=ledger, server=either_unleash, world=world)
    await opened.follow()
    yield opened
    await ledger.close()


async def test_what_was_changed_there_is_our_history(followed: Followed) -> None:
    """Each change with who, what and when and the states on both sides; read again, it is recorded once; and the
    timeline has it. What was before the first fetch is not ours."""
    admin = followed.server.admin
    before = await followed.follow()
    assert await followed.pull() == 0
    strategy = admin.strategy(FLAG, rollout=5)
    admin.on(FLAG)
    assert await followed.pull() == 0, "no state contains them yet"
    on = await followed.follow()
    admin.replace_strategy(FLAG, strategy, {"op": "replace", "path": "/parameters/rollout", "value": "50"})
    wider = await followed.follow()
    admin.off(FLAG)
    admin.create("checkout")
    off = await followed.follow()
    assert await followed.pull() == 4
    assert await followed.pull() == 0
    changes = await followed.history()
    assert [(one.authorship.why, one.before, one.after) for one in changes] == [
        ("In Unleash it was switched off.", wider, off),
        ("In Unleash it was given a changed strategy, from 5 % to 50 %.", on, wider),
        ("In Unleash it was switched on.", before, on),
        ("In Unleash it was given a strategy, at 5 %.", before, on),
    ]
    assert {one.authorship.by for one in changes} == {"unleash:admin"}
    logged = {event["id"]: event["createdAt"] for event in admin.events(FLAG)}
    assert all(one.version in logged for one in changes)
    async with followed.ledger.reading() as r:
        told = await events_about(r, f"flag:{FLAG}")
    assert [event.type for event in told] == ["flag.changed"] * 4


async def test_a_segment_s_change_is_its_flags_change(followed: Followed) -> None:
    """Whoever changes a segment changes the flags that refer to it."""
    admin = followed.server.admin
    segment = admin.segment("Europe", [{"contextName": "plan", "operator": "IN", "values": ["gold"]}])
    admin.strategy(FLAG, segments=[segment])
    await followed.follow()
    await followed.pull()
    wider = [{"contextName": "plan", "operator": "IN", "values": ["gold", "silver"]}]
    admin.call("PUT", f"/segments/{segment}", {"name": "Europe", "constraints": wider})
    await followed.follow()
    assert await followed.pull() == 1
    assert (await followed.history())[0].authorship.why == "In Unleash its segment 'Europe' was changed."


async def test_a_pull_goes_on_where_the_last_one_was(followed: Followed) -> None:
    """What happened since then is read through, however many pages that are, and nothing is recorded twice."""
    admin = followed.server.admin
    admin.strategy(FLAG)
    await followed.follow()
    assert await followed.pull() == 1
    for _ in range(3):
        admin.on(FLAG)
        admin.off(FLAG)
    await followed.follow()
    place = place_in(followed.server)
    assert await pull_changes(followed.ledger, place, now_us(), page=2) == 6
    assert await pull_changes(followed.ledger, place, now_us(), page=2) == 0
    assert len(await followed.history()) == 7
