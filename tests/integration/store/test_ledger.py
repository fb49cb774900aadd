"""Sessions, the outbox, leases and cursors on both databases."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.exc import DBAPIError

from gateway.errors import LedgerUnavailable
from gateway.store import events, leases
from gateway.store.engines import NetworkFileSystem, UnsupportedDatabase, file_system_of
from gateway.store.ledger import Ledger
from gateway.store.plans import bump_plan, plan_revision
from gateway.store.schema.flags import FlagStateRow
from gateway.store.schema.who import TenantRow


async def _append(ledger: Ledger, tenant_id: UUID, count: int) -> None:
    for number in range(count):
        async with ledger.writing() as w:
            now = await w.now_us()
            await events.append_event(
                w, "flag.changed", "flag:a.automated", {"n": number}, by="t", tenant_id=tenant_id, at_us=now
            )


async def test_a_reading_session_cannot_write(ledger: Ledger) -> None:
    """A write in a reading session fails at once, on both databases, and is not mistaken for an outage."""
    with pytest.raises(DBAPIError):
        async with ledger.reading() as r:
            await r.execute(update(TenantRow).values(name="other"))


async def test_a_block_that_fails_writes_nothing(ledger: Ledger, tenant_id: UUID) -> None:
    """An error inside a writing block takes back everything that the block did."""

    async def fail() -> None:
        async with ledger.writing() as w:
            await bump_plan(w, tenant_id)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with ledger.reading() as r:
        assert await plan_revision(r) == 0


async def test_immutable_rows_are_never_changed(ledger: Ledger) -> None:
    """The database itself refuses to update or delete a row of an immutable table."""
    async with ledger.writing() as w:
        row = {"sha256": "ab", "source": "embedded", "revision": "1", "body": "{}", "first_seen_us": 1}
        await w.execute(insert(FlagStateRow).values(**row))
    for statement in ("UPDATE flag_state SET body = '[]'", "DELETE FROM flag_state"):
        with pytest.raises(DBAPIError, match="immutable"):
            async with ledger.writing() as w:
                await w.execute(text(statement))


async def test_positions_are_gapless_and_follow_the_commits(ledger: Ledger, tenant_id: UUID) -> None:
    """Events get the positions 1, 2, 3… although they were committed by writers at the same time."""
    await asyncio.gather(*(_append(ledger, tenant_id, 5) for _ in range(4)))
    async with ledger.writing() as w:
        assert await events.position_events(w, limit=7) == 7
        assert await events.position_events(w) == 13
        assert await events.position_events(w) == 0
    async with ledger.reading() as r:
        assert [event.position for event in await events.events_after(r, 0)] == list(range(1, 21))
        assert len(await events.events_about(r, "flag:a.automated")) == 20


async def test_one_owner_holds_a_lease(ledger_url: str, ledger: Ledger) -> None:
    """A lease is renewed by its owner, refused to others until it ends, and its token grows with each new owner."""
    now = 1_000_000
    clocked = Ledger.open(ledger_url, clock=lambda: now)
    async with clocked.writing() as w:
        assert await leases.take_lease(w, "worker", "a", 3) == 1
        assert await leases.take_lease(w, "worker", "a", 3) == 1
        assert await leases.take_lease(w, "worker", "b", 3) is None
    now += 3_000_001
    async with clocked.writing() as w:
        assert await leases.take_lease(w, "worker", "b", 3) == 2
        assert await leases.take_lease(w, "worker", "a", 3) is None
        await leases.drop_lease(w, "worker", "b")
        assert await leases.take_lease(w, "worker", "a", 3) == 3
    await clocked.close()


async def test_a_cursor_starts_at_zero_and_moves(ledger: Ledger) -> None:
    """A consumer that never read is at 0; afterwards it is where it was moved to."""
    async with ledger.writing() as w:
        assert await leases.read_cursor(w, "webhooks") == 0
        await leases.move_cursor(w, "webhooks", 7)
        await leases.move_cursor(w, "webhooks", 9)
        assert await leases.read_cursor(w, "webhooks") == 9


async def test_writers_at_the_same_time_lose_nothing(ledger: Ledger, tenant_id: UUID) -> None:
    """Forty writers that each add one to the same row leave forty."""

    async def bump() -> None:
        async with ledger.writing() as w:
            await bump_plan(w, tenant_id)

    await bump()
    await asyncio.gather(*(bump() for _ in range(39)))
    async with ledger.reading() as r:
        assert await plan_revision(r) == 40


async def test_a_ledger_that_is_away_is_named() -> None:
    """A database that cannot be reached is LedgerUnavailable, with a time to come back after."""
    ledger = Ledger.open("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    with pytest.raises(LedgerUnavailable) as refusal:
        await ledger.ping()
    assert refusal.value.status == 503
    assert refusal.value.retry_after_s
    await ledger.close()


def test_other_databases_are_refused() -> None:
    """A URL of another database is refused by name."""
    with pytest.raises(UnsupportedDatabase, match="mysql"):
        Ledger.open("mysql://localhost/lockgate")


def test_a_network_file_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite on NFS is refused, because its locks do not hold there."""
    monkeypatch.setattr("gateway.store.engines.file_system_of", lambda _path: "nfs4")
    with pytest.raises(NetworkFileSystem, match="nfs4"):
        Ledger.open("sqlite+aiosqlite:////mnt/share/ledger.db")


def test_the_file_system_of_a_path_that_does_not_exist_yet_is_its_parents(tmp_path) -> None:
    """The nearest existing folder decides."""
    assert file_system_of(tmp_path / "not" / "yet") == file_system_of(tmp_path)
