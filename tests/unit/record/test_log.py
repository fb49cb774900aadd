"""Appending: what an answer may rely on."""

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.record.codec import encode
from gateway.record.entries import Entry
from gateway.record.errors import DiskReserveReached, TrafficLogUnavailable
from gateway.record.log import LogSettings, TrafficLog, open_traffic_log
from gateway.record.payloads import LocalObjects
from gateway.record.reader import SegmentReader, tail, unfold
from gateway.record.reserve import DiskReserve
from gateway.record.segment import Ownership, open_segments
from tests.unit.record.samples import decided

SETTINGS: dict[str, Any] = {"process": "gateway-1", "sync_interval_s": 60.0, "reserve_bytes": 0}


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[TrafficLog]:
    async with open_traffic_log(settings(tmp_path), LocalObjects(tmp_path / "objects")) as opened:
        yield opened


def settings(tmp_path: Path, **changes: Any) -> LogSettings:
    return LogSettings(directory=tmp_path / "traffic", **(SETTINGS | changes))


def recorded(log: TrafficLog) -> list[Entry]:
    return [found.entry for stretch in tail(log.settings.open_directory, {}) for found in stretch.entries]


async def test_one_turn_is_one_write(log: TrafficLog) -> None:
    """Entries appended in the same turn of the loop are written together, each with its own position."""
    entries = [decided() for _ in range(50)]
    positions = await asyncio.gather(*(log.append(entry) for entry in entries))
    assert (log.counts.turns, log.counts.entries) == (1, 50)
    assert sorted(set(positions)) == positions
    with SegmentReader(open_segments(log.settings.open_directory)[0]) as reader:
        assert [(found.position, found.entry) for found in reader] == list(zip(positions, entries, strict=True))


async def test_an_append_resolves_after_the_write(log: TrafficLog) -> None:
    """Whoever has awaited an append finds the entry in the file, before any sync."""
    entry = decided()
    waiting = asyncio.ensure_future(log.append(entry))
    assert recorded(log) == []
    await waiting
    assert recorded(log) == [entry]


async def test_a_cancelled_append_harms_nobody(log: TrafficLog) -> None:
    """A caller who leaves loses neither his own entry nor one of his neighbours'."""
    entries = [decided() for _ in range(3)]
    first, second, third = (asyncio.ensure_future(log.append(entry)) for entry in entries)
    second.cancel()
    await asyncio.gather(first, third)
    assert second.cancelled()
    assert recorded(log) == entries


async def test_an_entry_that_cannot_be_encoded_harms_nobody(log: TrafficLog) -> None:
    """The append of a broken entry raises at once, and its neighbours are written."""
    before = asyncio.ensure_future(log.append(first := decided()))
    with pytest.raises(TypeError):
        log.append(msgspec.structs.replace(decided(), rule=object()))
    after = asyncio.ensure_future(log.append(last := decided()))
    await asyncio.gather(before, after)
    assert recorded(log) == [first, last]


async def test_a_huge_batch_is_folded_and_found_whole(log: TrafficLog, tmp_path: Path) -> None:
    """An entry of 10,000 items stands in the log as a head of at most 4 KiB and unfolds to itself."""
    entry = decided(items=10_000, path="review", text=b"x" * 50_000)
    await log.append(entry)
    (head,) = recorded(log)
    assert head.folded is not None
    assert await unfold(head, LocalObjects(tmp_path / "objects")) == entry
    assert log.counts.folded == 1


async def test_a_cancelled_huge_batch_is_recorded_all_the_same(log: TrafficLog) -> None:
    """Leaving while the object is being written does not leave the entry out."""
    waiting = asyncio.ensure_future(log.append(decided(items=1000)))
    await asyncio.sleep(0)
    waiting.cancel()
    await log.close()
    assert len(recorded(log)) == 1


async def test_segments_rotate_by_size(tmp_path: Path) -> None:
    """A full segment is followed by the next, nothing is lost, and after a sync it has no owner."""
    async with open_traffic_log(settings(tmp_path, rotate_bytes=4000), LocalObjects(tmp_path)) as log:
        entries = [decided() for _ in range(30)]
        for entry in entries:
            await log.append(entry)
        paths = open_segments(log.settings.open_directory)
        assert len(paths) == log.counts.segments > 3
        assert recorded(log) == entries
        await log.sync()
        assert [taken(path) for path in paths] == [True] * (len(paths) - 1) + [False]


async def test_segments_rotate_by_age(tmp_path: Path) -> None:
    """A segment that is old enough is given up at the next sync, but never an empty one."""
    async with open_traffic_log(settings(tmp_path, rotate_age_s=0.0), LocalObjects(tmp_path)) as log:
        await log.append(decided())
        await log.upkeep()
        assert log.counts.segments == 2
        await log.upkeep()
        assert log.counts.segments == 2


async def test_closing_writes_what_was_appended_and_gives_the_segment_up(tmp_path: Path) -> None:
    """Appends that nobody awaited yet are written by close; afterwards the log refuses."""
    async with open_traffic_log(settings(tmp_path), LocalObjects(tmp_path)) as log:
        waiting = asyncio.ensure_future(log.append(entry := decided()))
    assert (await waiting).segment.startswith("gateway-1.")
    assert recorded(log) == [entry]
    assert taken(open_segments(log.settings.open_directory)[0])
    with pytest.raises(TrafficLogUnavailable):
        log.append(decided())


async def test_the_reserve_refuses_or_is_counted_as_the_policy_says(tmp_path: Path) -> None:
    """Below the reserve an append is refused with 503, or the answer leaves unrecorded and counted; it recovers."""
    free = [10]
    reserve = DiskReserve(tmp_path, 100, probe=lambda _path: free[0])
    async with open_traffic_log(settings(tmp_path), LocalObjects(tmp_path), reserve) as log:
        with pytest.raises(DiskReserveReached) as refusal:
            await log.record(decided(), "refuse")
        assert refusal.value.status == 503
        assert await log.record(decided(), "unrecorded") is None
        assert log.counts.unrecorded == 1
        free[0] = 1000
        await log.sync()
        assert await log.record(decided(), "refuse")


async def test_a_disk_that_fills_in_the_middle_of_a_write_tears_nothing(tmp_path: Path) -> None:
    """Of a short write the whole entries count, the others are refused, and the log goes on when there is room."""
    async with open_traffic_log(settings(tmp_path), LocalObjects(tmp_path)) as log:
        entries = [decided() for _ in range(200)]
        with no_file_above(50_000):
            results = await asyncio.gather(*(log.append(entry) for entry in entries), return_exceptions=True)
        written = [entry for entry, result in zip(entries, results, strict=True) if not isinstance(result, Exception)]
        assert 0 < len(written) < 200
        assert {type(result) for result in results[len(written) :]} == {TrafficLogUnavailable}
        with pytest.raises(DiskReserveReached):
            log.append(decided())
        await log.sync()
        await log.append(last := decided())
        assert recorded(log) == [*written, last]
        assert [torn(path) for path in open_segments(log.settings.open_directory)] == [0, 0]


@pytest.mark.parametrize("gathered", [0, 3])
async def test_entries_written_together_on_a_disk_that_fills_count_as_far_as_they_stand(
    tmp_path: Path, gathered: int
) -> None:
    """Those who are answered at once hear how many entries stand whole, whatever else the turn has gathered."""
    async with open_traffic_log(settings(tmp_path), LocalObjects(tmp_path)) as log:
        entries = [decided() for _ in range(200)]
        with no_file_above(50_000):
            waiting = [log.append(entry) for entry in entries[:gathered]]
            whole = log.write_together([encode(entry) for entry in entries[gathered:]])
        await asyncio.gather(*waiting)
        assert 0 < whole < 200 - gathered
        with pytest.raises(DiskReserveReached):
            log.write_together([encode(decided())])
        await log.sync()
        assert log.write_together([encode(last := decided())]) == 1
        assert recorded(log) == [*entries[: gathered + whole], last]
        assert log.counts.entries == gathered + whole + 1
        assert [torn(path) for path in open_segments(log.settings.open_directory)] == [0, 0]


async def test_a_process_name_never_leads_elsewhere(tmp_path: Path) -> None:
    """Names of processes are parts of file names and are checked as such."""
    with pytest.raises(ValueError, match="gateway-1"):
        async with open_traffic_log(settings(tmp_path, process="../x"), LocalObjects(tmp_path)):
            pass


@contextmanager
def no_file_above(limit_bytes: int) -> Iterator[None]:
    """Writes that would make a file larger than this are cut short by the kernel, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def taken(path: Path) -> bool:
    ownership = Ownership.take(path)
    if ownership is None:
        return False
    with ownership:
        return True


def torn(path: Path) -> int:
    with SegmentReader(path) as reader:
        list(reader)
        return reader.torn_bytes
