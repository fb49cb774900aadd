"""The background loop on both databases: one worker holds the lease, and one job's fault is not the others'."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gateway.record.payloads import LocalObjects
from gateway.store.events import append_event, events_after
from gateway.store.leases import take_lease
from gateway.store.ledger import Ledger
from gateway.times import after_us, now_us
from review.jobs import JobParts, position, sweep
from review.learning.leftovers import STALE_S
from review.store.people import default_tenant
from review.work import LEASE, Job, Work


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    """A fresh ledger."""
    opened = Ledger.open(ledger_url)
    yield opened
    await opened.close()


def job(name: str, run: Callable[[int], Awaitable[object]], every_s: float = 0.001) -> Job:
    """A job that runs again and again."""
    return Job(name=name, every_s=every_s, run=run)


async def stopped(task: "asyncio.Task[None]") -> None:
    """Return when the task has ended."""
    task.cancel()
    await asyncio.wait([task])


async def test_an_error_in_one_job_leaves_the_others_running(ledger: Ledger) -> None:
    """The failing job is tried again and shown; its neighbour never notices."""
    ran, failed = asyncio.Event(), asyncio.Event()
    counts = {"good": 0, "bad": 0}

    async def good(_now_us: int) -> None:
        counts["good"] += 1
        if counts["good"] == 3:
            ran.set()

    async def bad(_now_us: int) -> None:
        counts["bad"] += 1
        if counts["bad"] == 3:
            failed.set()
        raise ZeroDivisionError

    work = Work(ledger, "test", [job("bad", bad), job("good", good)], lambda: 7)
    task = asyncio.create_task(work.run())
    async with asyncio.timeout(20):
        await ran.wait()
        await failed.wait()
    assert work.failing == {"bad": "ZeroDivisionError"}
    await stopped(task)


async def test_a_job_is_told_the_time_and_reads_none(ledger: Ledger) -> None:
    """The clock is an argument of the loop."""
    told: list[int] = []

    async def note(now_us: int) -> None:
        told.append(now_us)

    await Work(ledger, "test", [], lambda: 42).once(job("note", note))
    assert told == [42]


async def test_a_worker_without_the_lease_does_nothing_and_takes_over_when_it_is_given_back(ledger: Ledger) -> None:
    """Exactly one works; a worker that ends gives the lease back, so that nobody waits for its end."""
    first, second = asyncio.Event(), asyncio.Event()

    async def by_first(_now_us: int) -> None:
        first.set()

    async def by_second(_now_us: int) -> None:
        second.set()

    one = asyncio.create_task(Work(ledger, "one", [job("a", by_first)], lambda: 0).run())
    async with asyncio.timeout(20):
        await first.wait()
        async with ledger.writing() as w:
            assert await take_lease(w, LEASE, "two", 1.0) is None
        assert not second.is_set()
        await stopped(one)
        two = asyncio.create_task(Work(ledger, "two", [job("a", by_second)], lambda: 0).run())
        await second.wait()
    await stopped(two)


def parts_of(ledger: Ledger, folder: Path) -> JobParts:
    """What jobs work with, all of it in one folder."""
    return JobParts(
        ledger=ledger, objects=LocalObjects(folder / "objects"), traffic=folder, artifacts=folder / "artifacts",
        payloads_url=str(folder / "objects"), recipes=None, traffic_keep_s=1.0,
    )  # fmt: skip


async def test_what_killed_writers_left_is_swept_after_a_day(ledger: Ledger, tmp_path: Path) -> None:
    """Beside the artifacts and among the payload objects; what is younger may still be written."""
    parts = parts_of(ledger, tmp_path)
    left = [tmp_path / store / "tmp" / "left-over" for store in ("artifacts", "objects")]
    for path in left:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"half of it")
    for later_s, there in ((STALE_S / 2, True), (2 * STALE_S, False)):
        await sweep(parts, after_us(now_us(), later_s))
        assert [path.exists() for path in left] == [there, there]


async def test_committed_events_get_positions_without_gaps(ledger: Ledger, tmp_path: Path) -> None:
    """However many there are, the job gives each the next number and then finds nothing to write."""
    async with ledger.writing() as w:
        tenant_id = await default_tenant(w)
        for number in range(5):
            data = {"number": number}
            await append_event(w, "test", "test:x", data, by="worker", tenant_id=tenant_id, at_us=number)
    parts = parts_of(ledger, tmp_path)
    await position(parts, 0)
    await position(parts, 0)
    async with ledger.reading() as r:
        assert [event.position for event in await events_after(r, 0)] == [1, 2, 3, 4, 5]
