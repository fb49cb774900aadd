"""Retention: old segments leave the disk and stay known."""

from pathlib import Path

import pytest

from gateway.record.errors import ObjectsUnavailable
from gateway.record.payloads import LocalObjects
from gateway.record.sealed import MemoryRegistry
from gateway.times import now_us
from review.traffic.query import FOREVER_US, TrafficReader, Window
from review.traffic.retention import retain
from review.traffic.seal import Sealer
from tests.integration.record.scene import committed, record
from tests.unit.record.samples import TENANT, decided


async def test_what_is_older_than_the_policy_goes_and_is_counted(tmp_path: Path) -> None:
    """The old segment's part and its folded entries are removed and counted; the young one stays readable."""
    traffic, registry, objects = tmp_path / "traffic", MemoryRegistry(), LocalObjects(tmp_path / "objects")
    await record(traffic, [decided(items=500), decided()])
    await Sealer(traffic, registry, committed(traffic)).run()
    between = now_us()
    await record(traffic, [young := decided()])
    await Sealer(traffic, registry, committed(traffic)).run()

    report = await retain(traffic, registry, objects, before_us=between, at_us=between)
    assert (report.segments, report.parts, report.objects) == (1, 1, 1)
    assert list(objects.directory.digests()) == []
    reader = TrafficReader(traffic, registry)
    (count,) = await reader.counts(Window(tenant=TENANT), by=())
    assert count.predictions == 1
    assert [found.entry for found in await reader.find(young.prediction)] == [young]
    again = await retain(traffic, registry, objects, before_us=between, at_us=between)
    assert (again.segments, again.parts) == (0, 0)


async def test_a_run_that_was_cut_short_is_finished_by_the_next(tmp_path: Path) -> None:
    """When the objects cannot be reached the file stays, unread, until a later run has removed both."""
    traffic, registry, objects = tmp_path / "traffic", MemoryRegistry(), LocalObjects(tmp_path / "objects")
    await record(traffic, [decided(items=500)])
    await Sealer(traffic, registry, committed(traffic)).run()
    with pytest.raises(ObjectsUnavailable):
        await retain(traffic, registry, Unreachable(objects.directory.root), before_us=FOREVER_US, at_us=now_us())
    assert await TrafficReader(traffic, registry).counts(Window(tenant=TENANT)) == ()
    report = await retain(traffic, registry, objects, before_us=FOREVER_US, at_us=now_us())
    assert (report.segments, report.parts, report.objects) == (0, 1, 1)


async def test_parts_that_are_being_made_are_not_leftovers(tmp_path: Path) -> None:
    """A Parquet file whose segment is still open belongs to a run of sealing and is not touched."""
    traffic, registry = tmp_path / "traffic", MemoryRegistry()
    await record(traffic, [decided()])
    (segment,) = (traffic / "open").glob("*.seg")
    part = traffic / "sealed" / "decided" / "2026-11-22" / f"{segment.stem}.parquet"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half of it")
    report = await retain(traffic, registry, LocalObjects(tmp_path), before_us=FOREVER_US, at_us=now_us())
    assert (report.parts, part.exists()) == (0, True)


class Unreachable(LocalObjects):
    """A store that is somewhere else and cannot be reached."""

    async def delete(self, sha256: str) -> bool:
        raise ObjectsUnavailable
