"""The registry and the cursors: one suite in memory and on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.record.sealed import (
    MemoryCursors,
    MemoryRegistry,
    SealedPart,
    SealedSegment,
    SegmentRegistry,
)
from gateway.store.ledger import Ledger
from gateway.store.segments import LedgerCursors, LedgerSegments, commit_offset, committed_offsets
from review.traffic.query import TrafficReader, Window
from review.traffic.seal import Sealer
from tests.integration.record.scene import committed, record
from tests.unit.record.samples import TENANT, decided

PART = SealedPart(kind="decided", location="sealed/decided/x.parquet", sha256="ab" * 32, bytes=10, rows=2)


def sealed(name: str, first_us: int | None = 100, last_us: int | None = 200) -> SealedSegment:
    parts = (PART,) if first_us is not None else ()
    return SealedSegment(
        name=name, process="gateway-1", entries=2, torn_bytes=3, parts=parts, first_us=first_us, last_us=last_us
    )


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    opened = Ledger.open(ledger_url)
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "sqlite_ledger_url", "postgres_ledger_url"])
async def registry(request: pytest.FixtureRequest) -> AsyncIterator[SegmentRegistry]:
    if request.param == "memory":
        yield MemoryRegistry()
        return
    opened = Ledger.open(request.getfixturevalue(request.param))
    yield LedgerSegments(opened)
    await opened.close()


async def test_a_segment_is_registered_once(registry: SegmentRegistry) -> None:
    """The second registration changes nothing and says so."""
    assert await registry.register(sealed("a"))
    assert not await registry.register(sealed("a", 1, 2))
    assert list(await registry.sealed(0, 1000)) == [sealed("a")]
    assert (await registry.knows("a"), await registry.knows("b")) == (True, False)


async def test_the_window_is_half_open(registry: SegmentRegistry) -> None:
    """A segment is told when something of it may lie in [since, until), an empty one never."""
    await registry.register(sealed("b"))
    await registry.register(sealed("a", 150, 300))
    await registry.register(sealed("empty", None, None))
    windows = {(0, 100): [], (0, 101): ["b"], (0, 151): ["a", "b"], (200, 201): ["a", "b"], (201, 900): ["a"]}
    for (since, until), names in windows.items():
        assert [found.name for found in await registry.sealed(since, until)] == names


async def test_a_removed_segment_stays_known_and_is_not_read(registry: SegmentRegistry) -> None:
    """Retention takes a segment out of reading once; it is never sealed again."""
    await registry.register(sealed("a"))
    assert await registry.remove("a", 900)
    assert not await registry.remove("a", 901)
    assert list(await registry.sealed(0, 1000)) == []
    assert await registry.knows("a")


async def test_a_segment_waits_for_its_slowest_consumer(ledger: Ledger) -> None:
    """The committed byte is the least over all consumers, and 0 as long as one of them has not begun."""
    cursors = LedgerCursors(ledger, ["cases", "drift"])
    async with ledger.writing() as w:
        await commit_offset(w, "cases", "gateway-1.a.000001", 500)
    assert await cursors.committed("gateway-1.a.000001") == 0
    async with ledger.writing() as w:
        await commit_offset(w, "drift", "gateway-1.a.000001", 200)
        await commit_offset(w, "drift", "gateway-1.a.000001", 300)
    assert await cursors.committed("gateway-1.a.000001") == 300
    async with ledger.reading() as r:
        assert await committed_offsets(r, "cases") == {"gateway-1.a.000001": 500}
    assert await cursors.segments() == ["gateway-1.a.000001"]
    await cursors.forget("gateway-1.a.000001")
    assert await cursors.segments() == []


async def test_sealing_and_counting_through_the_ledger(ledger: Ledger, tmp_path: Path) -> None:
    """Recorded, committed, sealed and counted with the real ledger; the cursors are gone with the segment."""
    traffic, registry, cursors = tmp_path / "traffic", LedgerSegments(ledger), LedgerCursors(ledger, ["cases"])
    await record(traffic, [decided() for _ in range(5)])
    async with ledger.writing() as w:
        for name, end in committed(traffic).offsets.items():
            await commit_offset(w, "cases", name, end)
    assert len((await Sealer(traffic, registry, cursors).run()).sealed) == 1
    (count,) = await TrafficReader(traffic, registry).counts(Window(tenant=TENANT))
    assert count.predictions == 5
    assert await cursors.segments() == []


async def test_cursors_left_by_a_killed_run_are_forgotten(tmp_path: Path) -> None:
    """When a segment is gone and registered, the next run drops its cursors; those of others stay."""
    registry, cursors = MemoryRegistry(), MemoryCursors()
    await registry.register(sealed("gone"))
    cursors.offsets = {"gone": 8, "not-yet-registered": 9}
    await Sealer(tmp_path, registry, cursors).run()
    assert cursors.offsets == {"not-yet-registered": 9}
