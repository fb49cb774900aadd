"""Whoever wants few of the log's entries passes the others by."""

from itertools import pairwise
from pathlib import Path

import pytest

from gateway.ids import new_id
from gateway.record.codec import (
    ENTRY_MAX_BYTES,
    PLAIN_MARK,
    PLAIN_MARKS,
    UNDRAWN_MARKS,
    encode,
    is_shadowed,
    may_be_drawn,
)
from gateway.record.frames import frame, passed
from gateway.record.reader import tail
from gateway.record.segment import SegmentFile
from tests.unit.record.casts import beside, plain
from tests.unit.record.samples import decided, shadowed

PLAIN = b"\xde\x00\x14" + PLAIN_MARK


def log_of(folder: Path, *entries: bytes) -> None:
    """A segment with these entries."""
    (folder / "open").mkdir()
    segment = SegmentFile.create(folder / "open", "gateway-1.w.000001")
    segment.write(bytearray(b"".join(map(frame, entries))))


def test_only_what_is_wanted_is_told_and_all_of_it_is_passed(tmp_path: Path) -> None:
    """The stretches together reach the end of the log, whether or not anything in them was wanted."""
    beside = shadowed(new_id())
    entries = [encode(decided()), encode(beside), encode(decided())]
    log_of(tmp_path, *entries)
    everything = list(tail(tmp_path / "open", {}))
    [found] = tail(tmp_path / "open", {}, wanted=is_shadowed)
    assert [recorded.entry for recorded in found.entries] == [beside]
    assert found.end == everything[-1].end
    [nothing] = tail(tmp_path / "open", {}, wanted=lambda _data: False)
    assert (nothing.entries, nothing.end) == ((), everything[-1].end)
    assert not list(tail(tmp_path / "open", {nothing.segment: nothing.end}, wanted=is_shadowed))


def test_a_stretch_of_what_nobody_wants_ends_after_some_bytes(tmp_path: Path) -> None:
    """So that its end is committed now and then, and is not read again after a crash."""
    log_of(tmp_path, *[encode(decided())] * 20)
    stretches = list(tail(tmp_path / "open", {}, wanted=lambda _data: False, most_bytes=1000))
    assert len(stretches) > 2
    assert all(before.end == after.start for before, after in pairwise(stretches))


def test_an_entry_says_what_it_is_in_its_first_bytes() -> None:
    """Shadowed entries say their kind, plain ones that they are plain, and all others may have been drawn."""
    assert is_shadowed(encode(shadowed(new_id())))
    assert not may_be_drawn(encode(shadowed(new_id())))
    assert not is_shadowed(encode(decided()))
    assert may_be_drawn(encode(decided()))
    assert not may_be_drawn(b"\xde\x00\x14" + PLAIN_MARK)


def test_plain_entries_are_passed_by_together(tmp_path: Path) -> None:
    """What stands between and behind plain entries is found where it stands, also where a piece of reading ends."""
    beside = [shadowed(new_id()) for _ in range(3)]
    plain = [PLAIN + bytes(length % 3000) for length in range(1200)]
    log_of(tmp_path, *plain, encode(beside[0]), encode(beside[1]), *plain, encode(decided()), encode(beside[2]), PLAIN)
    everything = [found for stretch in tail(tmp_path / "open", {}, wanted=is_shadowed) for found in stretch.entries]
    assert [found.entry for found in everything] == beside
    [stretch] = tail(tmp_path / "open", {}, wanted=lambda _data: False)
    assert stretch.end == (tmp_path / "open" / f"{stretch.segment}.seg").stat().st_size
    from_there = {stretch.segment: everything[1].position.offset}
    [rest] = tail(tmp_path / "open", from_there, wanted=is_shadowed)
    assert list(rest.entries) == everything[1:]


def test_runs_beside_answers_are_passed_by_too_where_only_drawn_items_are_wanted(tmp_path: Path) -> None:
    """However many fields such an entry has; what may be drawn is found between them, where it stands."""
    runs = [beside(), beside(differing=(1,), draws=(0.1,), answers=("x",), reason="x"), encode(shadowed(new_id()))]
    drawn = encode(decided(path="review"))
    log_of(tmp_path, *runs, drawn, plain(), *runs, drawn, *runs)
    [told] = tail(tmp_path / "open", {}, wanted=may_be_drawn)
    [passed_by] = tail(tmp_path / "open", {}, wanted=may_be_drawn, passing=UNDRAWN_MARKS)
    assert passed_by == told
    assert [found.data for found in told.frames] == [drawn, drawn]
    assert told.end == (tmp_path / "open" / f"{told.segment}.seg").stat().st_size
    assert {data[0] >> 4 for data in runs} == {0x8, 0xD}


@pytest.mark.parametrize("cut", [1, 7, 8, 12, 30])
def test_a_plain_entry_that_is_not_whole_yet_is_waited_for(tmp_path: Path, cut: int) -> None:
    """Passing by ends before a torn frame, and goes on from there when the rest has come."""
    frames = b"".join(map(frame, [PLAIN + bytes(20), PLAIN + bytes(30)]))
    log_of(tmp_path)
    [path] = (tmp_path / "open").glob("*.seg")
    head = path.read_bytes()
    whole = len(head) + len(frame(PLAIN + bytes(20)))
    path.write_bytes(head + frames[:-cut])
    [stretch] = tail(tmp_path / "open", {}, wanted=may_be_drawn)
    assert (stretch.end, stretch.entries) == (whole, ())
    path.write_bytes(head + frames)
    [rest] = tail(tmp_path / "open", {stretch.segment: stretch.end}, wanted=may_be_drawn)
    assert (rest.start, rest.end) == (whole, len(head) + len(frames))


@pytest.mark.parametrize("length", [0, 5, ENTRY_MAX_BYTES + 1])
def test_a_length_that_no_entry_has_is_not_passed_by(length: int) -> None:
    """What crashed machines leave behind the last whole frame is no frame, even where it looks like a plain entry."""
    damaged = length.to_bytes(4, "little") + bytes(4) + PLAIN + bytes(5000)
    assert passed(damaged, 0, PLAIN_MARKS, ENTRY_MAX_BYTES) == 0
