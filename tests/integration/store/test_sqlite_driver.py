"""SQLite's driver: few trips to the connection's thread, and nothing else is different."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.ledger import Ledger

CREATE = "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"


@pytest.fixture
async def ledger(sqlite_ledger_url: str) -> AsyncIterator[Ledger]:
    """A ledger on SQLite with a table of the test's own."""
    opened = Ledger.open(sqlite_ledger_url)
    async with opened.writing() as w:
        await w.execute(text(CREATE))
        await w.execute(text("INSERT INTO thing VALUES (:id, :name)"), [{"id": n, "name": f"n{n}"} for n in (1, 2, 3)])
    yield opened
    await opened.close()


async def trips(connection: AsyncConnection) -> list[Any]:
    """What is sent to the connection's thread from now on, in order."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    sent: list[Any] = []
    queue = driver._tx

    class Noting:
        def put_nowait(self, item: object) -> None:
            sent.append(item)
            queue.put_nowait(item)

    driver._tx = Noting()
    return sent


async def test_a_statement_is_one_trip(ledger: Ledger) -> None:
    """Beginning, executing, fetching and closing cost one trip together, and nobody waits for the end of reading."""
    async with ledger.reading() as r:
        sent = await trips(await r.connection())
        rows = (await r.execute(text("SELECT id, name FROM thing ORDER BY id"))).all()
        assert [tuple(row) for row in rows] == [(1, "n1"), (2, "n2"), (3, "n3")]
        assert len(sent) == 1
    (future, _), *rest = sent[1:]
    assert future is None
    assert all(waited_for is None for waited_for, _ in rest)


async def test_a_reading_session_has_one_view_of_the_data(ledger: Ledger) -> None:
    """What is committed between two statements of a reading session is seen by the next session only."""
    count = text("SELECT count(*) FROM thing")
    async with ledger.reading() as r:
        assert (await r.execute(count)).scalar_one() == 3
        async with ledger.writing() as w:
            await w.execute(text("INSERT INTO thing VALUES (4, 'four')"))
        assert (await r.execute(count)).scalar_one() == 3
    async with ledger.reading() as r:
        assert (await r.execute(count)).scalar_one() == 4


async def test_rows_counts_and_names_are_the_drivers(ledger: Ledger) -> None:
    """What SQLAlchemy reads off a cursor is there after it was closed in its thread."""
    async with ledger.writing() as w:
        changed = await w.execute(text("UPDATE thing SET name = name || '!' WHERE id > 1"))
        assert changed.rowcount == 2  # type: ignore[attr-defined]
        added = await w.execute(text("INSERT INTO thing (name) VALUES ('four') RETURNING id, name"))
        assert added.mappings().one() == {"id": 4, "name": "four"}
        assert (await w.execute(text("SELECT id FROM thing WHERE id = 99"))).all() == []


async def test_an_error_is_raised_as_itself_and_costs_the_transaction_alone(ledger: Ledger) -> None:
    """A refused statement is SQLAlchemy's error for it; the connection serves the next session."""
    with pytest.raises(IntegrityError):
        async with ledger.writing() as w:
            await w.execute(text("INSERT INTO thing VALUES (9, 'n1')"))
    async with ledger.writing() as w:
        assert (await w.execute(text("SELECT count(*) FROM thing"))).scalar_one() == 3


async def test_a_cancelled_statement_leaves_no_transaction_behind(ledger: Ledger) -> None:
    """Cancelling in the middle of a statement rolls back, and the one writing connection is free again."""

    async def write() -> None:
        async with ledger.writing() as w:
            await w.execute(text("INSERT INTO thing VALUES (7, 'seven')"))
            slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 400000) SELECT max(i) FROM n"
            await w.execute(text(slow))

    for delay_s in (0.0, 0.005, 0.02, 0.05):
        task = asyncio.create_task(write())
        await asyncio.sleep(delay_s)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        async with asyncio.timeout(5), ledger.writing() as w:
            assert (await w.execute(text("SELECT count(*) FROM thing"))).scalar_one() == 3
