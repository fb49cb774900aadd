"""Whoever wants few of the log's entries passes the others by."""

from itertools import pairwise
from pathlib import Path

from gateway.ids import new_id
from gateway.record.codec import PLAIN_MARK, encode, is_shadowed, may_be_drawn
from gateway.record.frames import frame
from gateway.record.reader import tail
from gateway.record.segment import SegmentFile
from tests.unit.record.samples import decided, shadowed


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
