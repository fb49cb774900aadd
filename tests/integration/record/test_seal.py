"""Sealing: segments become Parquet, and every entry is readable exactly once, whatever is killed when."""

import asyncio
import hashlib
import math
import os
import random
import signal
import sys
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.ids import new_id
from gateway.record.entries import Entry
from gateway.record.frames import frame
from gateway.record.log import LogSettings, open_traffic_log
from gateway.record.payloads import LocalObjects
from gateway.record.reader import SegmentReader
from gateway.record.sealed import MemoryCursors, MemoryRegistry
from gateway.record.segment import SegmentFile, open_segments
from gateway.times import now_us
from review.traffic import child as children
from review.traffic.batches import BATCH_ROWS, KINDS, batches
from review.traffic.columns import SCHEMAS
from review.traffic.parquet import GROUP_ROWS
from review.traffic.query import TrafficReader, Window
from review.traffic.seal import Sealer
from tests.integration.record.scene import FileRegistry, committed, record
from tests.unit.record.all_kinds import ALL_KINDS
from tests.unit.record.samples import TENANT, decided, delivered, shadowed

CHILD = Path(__file__).parent / "seal_until.py"
KILLS = ["written", "named decided", "named delivered", "named shadowed", "registered", "removed", "forgotten"]


def some_traffic(predictions: int) -> list[Entry]:
    entries: list[Entry] = []
    for prediction in [new_id() for _ in range(predictions)]:
        entries += decided(prediction=prediction), shadowed(prediction), delivered(prediction)
    return entries


@pytest.mark.parametrize("step", KILLS)
async def test_a_kill_at_any_step_leaves_each_entry_readable_once(tmp_path: Path, step: str) -> None:
    """Killed after each step, the log is read whole at once, and the next run of sealing finishes the work."""
    traffic, registry = tmp_path / "traffic", FileRegistry(tmp_path / "traffic" / "registry.json")
    entries = some_traffic(8)
    await record(traffic, entries)
    cursors = committed(traffic)
    child = await asyncio.create_subprocess_exec(sys.executable, str(CHILD), str(traffic), step)
    assert await child.wait() == -signal.SIGKILL

    reader = TrafficReader(traffic, registry)
    assert await everything(reader, entries) == entries
    await Sealer(traffic, registry, cursors).run()
    assert open_segments(traffic / "open") == ()
    assert cursors.offsets == {}
    assert await everything(reader, entries) == entries
    assert len(list((traffic / "sealed").glob("*/*/*.parquet"))) == 3


async def test_a_segment_takes_what_others_leave_and_after_a_while_a_part_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first child is the last of all; one that does not come to an end is replaced, and the segment is sealed."""
    traffic = tmp_path / "traffic"
    await record(traffic, some_traffic(3))
    (segment,) = open_segments(traffic / "open")
    committed_to = committed(traffic).offsets[segment.stem]
    seen: list[int] = []
    give_way = children._give_way

    def stopped_at_first(process: int, *, last_of_all: bool) -> None:
        give_way(process, last_of_all=last_of_all)
        seen.append(process)
        if sys.platform == "linux":
            assert os.sched_getscheduler(process) == (os.SCHED_IDLE if last_of_all else os.SCHED_OTHER)
        if last_of_all:
            os.kill(process, signal.SIGSTOP)

    monkeypatch.setattr(children, "_give_way", stopped_at_first)
    async with children.PartsChild(traffic, patience_s=0.5) as child:
        report = await child.write_parts(segment, committed_to)
        again = await child.write_parts(segment, committed_to)
    assert report == again
    assert report.sealed is not None
    assert report.sealed.entries == 9
    assert len(seen) == 2
    assert not any(map(psutil.pid_exists, seen))


async def test_sealing_again_does_nothing(tmp_path: Path) -> None:
    """A second run finds nothing to do; sealing the same bytes twice gives the same files."""
    traffic, registry = tmp_path / "traffic", MemoryRegistry()
    await record(traffic, some_traffic(10))
    kept = {path.name: path.read_bytes() for path in open_segments(traffic / "open")}
    report = await Sealer(traffic, registry, committed(traffic)).run()
    (sealed,) = report.sealed
    assert (sealed.entries, sealed.torn_bytes, sealed.process) == (30, 0, "gateway-1")
    assert (await Sealer(traffic, registry, committed(traffic)).run()).sealed == ()

    for name, data in kept.items():
        (traffic / "open" / name).write_bytes(data)
    again = await Sealer(traffic, MemoryRegistry(), committed(traffic)).run()
    assert again.sealed == report.sealed
    for part in sealed.parts:
        assert hashlib.sha256((traffic / part.location).read_bytes()).hexdigest() == part.sha256


async def test_parquet_says_in_each_column_what_the_segment_said(tmp_path: Path) -> None:
    """Of entries of all kinds, in their order; groups of rows end where they are declared to."""
    traffic, name = tmp_path / "traffic", "gateway-1.w.000001"
    await record(traffic, [])
    entries = random.Random(5).choices(list(ALL_KINDS.values()), k=GROUP_ROWS + BATCH_ROWS)
    segment = SegmentFile.create(traffic / "open", name)
    segment.write(bytearray(b"".join(map(frame, entries))))
    segment.close()
    with SegmentReader(segment.path) as reader:
        said = list(batches(name, reader.frames()))
    report = await Sealer(traffic, MemoryRegistry(), committed(traffic)).run()
    parts = {part.kind: part for sealed in report.sealed for part in sealed.parts}
    for kind in KINDS:
        with pq.ParquetFile(traffic / parts[kind].location) as file:
            table = pa.Table.from_batches([batch.rows for batch in said if batch.kind == kind])
            assert file.read().equals(table)
            assert file.schema_arrow.equals(SCHEMAS[kind])
            assert parts[kind].rows == table.num_rows
            assert file.num_row_groups == math.ceil(table.num_rows / GROUP_ROWS)


async def test_a_live_segment_is_left_alone(tmp_path: Path) -> None:
    """What a living process may still write to is not sealed."""
    settings = LogSettings(directory=tmp_path / "traffic", process="gateway-1", sync_interval_s=60, reserve_bytes=0)
    async with open_traffic_log(settings, LocalObjects(tmp_path)) as log:
        await log.append(decided())
        report = await Sealer(settings.directory, MemoryRegistry(), committed(settings.directory)).run()
    assert (report.owned, report.sealed) == (1, ())


async def test_nothing_is_sealed_before_it_was_committed(tmp_path: Path) -> None:
    """A segment with an entry that the consumer has not committed waits for the consumer."""
    traffic, registry, cursors = tmp_path / "traffic", MemoryRegistry(), MemoryCursors()
    await record(traffic, some_traffic(2))
    assert (await Sealer(traffic, registry, cursors).run()).behind == 1
    (name, end) = next(iter(committed(traffic).offsets.items()))
    cursors.offsets[name] = end - 1
    assert (await Sealer(traffic, registry, cursors).run()).behind == 1
    cursors.offsets[name] = end
    assert len((await Sealer(traffic, registry, cursors).run()).sealed) == 1


async def test_a_torn_tail_is_cut_and_counted(tmp_path: Path) -> None:
    """The bytes of an entry that was never acknowledged are left out and their number is registered."""
    traffic, registry = tmp_path / "traffic", MemoryRegistry()
    await record(traffic, entries := some_traffic(3))
    (path,) = open_segments(traffic / "open")
    path.write_bytes(path.read_bytes()[:-5])
    report = await Sealer(traffic, registry, committed(traffic)).run()
    assert report.torn_bytes > 100
    assert await everything(TrafficReader(traffic, registry), entries) == entries[:-1]


async def test_an_empty_segment_just_goes(tmp_path: Path) -> None:
    """A process that recorded nothing leaves a segment that is registered as empty and removed."""
    traffic = tmp_path / "traffic"
    await record(traffic, [])
    (tmp_path / "traffic" / "open" / "gateway-1.cut.000001.seg").write_bytes(b"lgt")
    report = await Sealer(traffic, MemoryRegistry(), MemoryCursors()).run()
    assert [(segment.entries, segment.parts) for segment in report.sealed] == [(0, ()), (0, ())]
    assert open_segments(traffic / "open") == ()


async def test_a_segment_that_cannot_be_read_stays_and_does_not_stop_the_others(tmp_path: Path) -> None:
    """A file that is no segment is reported by name and kept; what stands before and behind it is sealed."""
    traffic = tmp_path / "traffic"
    for process in ("gateway-1", "gateway-2", "y-gateway", "z-gateway"):
        await record(traffic, some_traffic(1), process)
    (stranger := traffic / "open" / "stranger.x.000001.seg").write_bytes(b"no segment at all")
    report = await Sealer(traffic, MemoryRegistry(), cursors_of_all(traffic)).run()
    assert [each.segment for each in report.failed] == ["stranger.x.000001"]
    assert [each.process for each in report.sealed] == ["gateway-1", "gateway-2", "y-gateway", "z-gateway"]
    assert [each.entries for each in report.sealed] == [3] * 4
    assert "cannot read" in report.failed[0].complaint
    assert open_segments(traffic / "open") == (stranger,)


async def test_reading_while_sealing_never_misses_and_never_doubles(tmp_path: Path) -> None:
    """Counts taken all through a run of sealing are the same each time."""
    traffic, registry = tmp_path / "traffic", MemoryRegistry()
    for n in range(4):
        await record(traffic, [decided() for _ in range(25)], process=f"gateway-{n}")
    sealing = asyncio.ensure_future(Sealer(traffic, registry, committed(traffic)).run())
    reader, totals = TrafficReader(traffic, registry), set[int]()
    while not sealing.done():
        (count,) = await reader.counts(Window(tenant=TENANT), by=())
        totals.add(count.predictions)
    assert len((await sealing).sealed) == 4
    assert totals == {100}


def cursors_of_all(traffic: Path) -> MemoryCursors:
    cursors = MemoryCursors()
    cursors.offsets = {path.stem: 1 << 40 for path in open_segments(traffic / "open")}
    return cursors


async def everything(reader: TrafficReader, entries: list[Entry]) -> list[Entry]:
    """All that the log holds about the predictions of these entries, with the number of decided ones as a check."""
    found: list[Entry] = []
    for prediction in dict.fromkeys(entry.prediction for entry in entries):
        found += [recorded.entry for recorded in await reader.find(prediction)]
    counts = await reader.counts(Window(tenant=TENANT, until_us=now_us() + 1), by=())
    assert sum(count.predictions for count in counts) == sum(entry in found for entry in entries[::3])
    return found
