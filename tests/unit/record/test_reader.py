"""Reading segments and following them."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.record.codec import encode
from gateway.record.entries import Entry
from gateway.record.errors import TrafficLogUnreadable
from gateway.record.frames import HEADER, frame
from gateway.record.log import LogSettings, open_traffic_log
from gateway.record.payloads import LocalObjects
from gateway.record.reader import SegmentReader, tail
from tests.unit.record.samples import decided

STEPS = st.lists(st.one_of(st.integers(1, 9), st.sampled_from(["rotate", "follow"])), max_size=25)


def test_a_segment_torn_at_any_byte_is_read_up_to_there(tmp_path: Path) -> None:
    """At each cut the whole entries come back, and the bytes behind them are counted as torn."""
    path = tmp_path / "gateway-1.a.000001.seg"
    entries = [decided() for _ in range(3)]
    whole = [frame(encode(entry)) for entry in entries]
    data = HEADER + b"".join(whole)
    ends = [len(HEADER) + sum(map(len, whole[: n + 1])) for n in range(3)]
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        with SegmentReader(path) as reader:
            assert [found.entry for found in reader] == entries[: sum(end <= cut for end in ends)]
            assert reader.torn_bytes == max(0, cut - reader.end)
            assert reader.end in {len(HEADER), *ends}


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    """A file without the header of a segment is an error with its name, not an empty segment."""
    path = tmp_path / "stranger.seg"
    path.write_bytes(b"PAR1 and so on")
    with SegmentReader(path) as reader, pytest.raises(TrafficLogUnreadable, match="'stranger' holds at byte 0"):
        list(reader)


def test_an_entry_of_a_later_kind_stops_the_reader(tmp_path: Path) -> None:
    """What this release cannot read is never skipped: it waits, named by its place, for one that can."""
    path = tmp_path / "later.seg"
    path.write_bytes(HEADER + frame(encode(decided())) + frame(b"\x81\xa4kind\xa9decided/9"))
    with SegmentReader(path) as reader:
        entries = iter(reader)
        next(entries)
        with pytest.raises(TrafficLogUnreadable, match=r"at byte [1-9]"):
            next(entries)


@given(steps=STEPS, limit=st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_a_consumer_that_commits_sees_every_entry_once(steps: list[int | str], limit: int) -> None:
    """However appends, rotations and readings mix, the stretches join without a gap and without an overlap."""
    with TemporaryDirectory() as directory:
        asyncio.run(_follow(Path(directory), steps, limit))


async def _follow(directory: Path, steps: list[int | str], limit: int) -> None:
    log_settings = LogSettings(directory=directory, process="gateway-1", sync_interval_s=60, reserve_bytes=0)
    committed: dict[str, int] = {}
    seen: list[Entry] = []
    appended: list[Entry] = []

    def follow() -> None:
        for stretch in tail(log_settings.open_directory, committed, limit):
            assert stretch.start == committed.get(stretch.segment, len(HEADER))
            assert 0 < len(stretch.entries) <= limit
            seen.extend(found.entry for found in stretch.entries)
            committed[stretch.segment] = stretch.end

    async with open_traffic_log(log_settings, LocalObjects(directory / "objects")) as log:
        for step in steps:
            if isinstance(step, int):
                appended += (fresh := [decided() for _ in range(step)])
                await asyncio.gather(*(log.append(entry) for entry in fresh))
            elif step == "rotate":
                log.rotate()
            else:
                follow()
    follow()
    assert seen == appended
