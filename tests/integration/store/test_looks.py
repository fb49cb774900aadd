"""Looks: what a session would find, on both databases."""

import sqlite3
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import bindparam, insert, select

from gateway.store import migrate
from gateway.store.events import any_unpositioned, any_unread, append_event, position_events
from gateway.store.leases import move_cursor, take_lease
from gateway.store.ledger import Ledger
from gateway.store.looks import Look, RawLooks
from gateway.store.plans import bump_plan, latest_revision
from gateway.store.schema.plumbing import CursorRow
from gateway.store.segments import commit_offset, latest_offsets

BOTH = pytest.mark.parametrize("indexed", [True, False])


def _named(*, indexed: bool) -> Look:
    statement = select(CursorRow.consumer, CursorRow.position).order_by(CursorRow.position)
    among = CursorRow.consumer.in_(("a", "b", "c"))
    return Look(statement.where(among, CursorRow.position > bindparam("after")), indexed=indexed)


@BOTH
async def test_a_look_finds_what_was_committed(ledger: Ledger, indexed: bool) -> None:
    """Each look sees every commit before it, with the values of that look and those in the statement."""
    look = _named(indexed=indexed)
    for name, position in (("a", 1), ("b", 2), ("c", 3), ("d", 4)):
        async with ledger.writing() as w:
            await move_cursor(w, name, position)
    assert [tuple(row) for row in await ledger.look(look, after=1)] == [("b", 2), ("c", 3)]
    async with ledger.writing() as w:
        await move_cursor(w, "b", 7)
        assert [row[1] for row in await ledger.look(look, after=2)] == [3], "nothing that is not committed"
    assert [tuple(row) for row in await ledger.look(look, after=3)] == [("b", 7)]


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@BOTH
async def test_a_look_at_a_file_that_is_away_fails(tmp_path: Path, indexed: bool) -> None:
    """Where there is no file there is no ledger, and a look makes none."""
    looks = RawLooks(tmp_path / "ledger.db")
    with pytest.raises(sqlite3.Error):
        await looks.rows(_named(indexed=indexed), {"after": 0})
    looks.close()
    assert _files(tmp_path) == []


async def test_a_lock_on_the_file_does_not_fail_a_look(tmp_path: Path) -> None:
    """A look while somebody writes finds what was there before."""
    url = f"sqlite+aiosqlite:///{tmp_path}/ledger.db"
    await migrate.upgrade(url)
    mine, other = Ledger.open(url), Ledger.open(url)
    async with other.writing() as w:
        await w.execute(insert(CursorRow).values(consumer="a", position=5, changed_us=1))
        assert await mine.look(_named(indexed=True), after=0) == []
    assert await mine.look(_named(indexed=True), after=0) == [("a", 5)]
    for each in (mine, other):
        await each.close()


async def test_the_looks_of_the_plumbing(ledger: Ledger, tenant_id: UUID) -> None:
    """Events without position, events nobody has read, the plan's revision and offsets are told as they are."""
    assert not await any_unpositioned(ledger)
    async with ledger.writing() as w:
        await append_event(w, "flag.changed", "flag:a", {}, by="t", tenant_id=tenant_id, at_us=1)
        await bump_plan(w, tenant_id)
        await commit_offset(w, "audits", "gateway-1.a.000001", 12)
        await commit_offset(w, "others", "gateway-1.a.000001", 13)
    assert await any_unpositioned(ledger)
    assert not await any_unread(ledger, "effects", 0)
    async with ledger.writing() as w:
        await position_events(w)
    assert not await any_unpositioned(ledger)
    assert await any_unread(ledger, "effects", 0)
    assert not await any_unread(ledger, "effects", 1)
    async with ledger.writing() as w:
        await move_cursor(w, "effects", 1)
    assert not await any_unread(ledger, "effects", 0)
    assert await latest_revision(ledger) == 1
    assert await latest_offsets(ledger, "audits") == {"gateway-1.a.000001": 12}


async def test_renewing_keeps_the_token(ledger: Ledger) -> None:
    """A lease that its owner renews keeps its token; for the next owner it grows."""
    tokens = []
    for owner, ttl_s in (("one", 60.0), ("one", 0.0), ("two", 60.0), ("two", 60.0), ("one", 60.0)):
        async with ledger.writing() as w:
            tokens.append(await take_lease(w, "worker", owner, ttl_s))
    assert tokens == [1, 1, 2, 2, None]
