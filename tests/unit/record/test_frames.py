"""Frames, and the places where a crash can cut them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.record.frames import frame, frames, seal_frame

MAX = 4096
ENTRIES = st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=8)


def read(data: bytes, base: int = 0) -> list[bytes]:
    return [found.data for found in frames(data, base, MAX)]


@given(entries=ENTRIES)
def test_a_tail_torn_at_any_byte_leaves_the_whole_frames_before_it(entries: list[bytes]) -> None:
    """Wherever the file ends, exactly the entries that were written whole are read."""
    data = b"".join(map(frame, entries))
    ends = [sum(len(frame(each)) for each in entries[: n + 1]) for n in range(len(entries))]
    for cut in range(len(data) + 1):
        assert read(data[:cut]) == entries[: sum(end <= cut for end in ends)]


@given(entries=ENTRIES, zeros=st.integers(1, 64))
def test_zeros_behind_the_last_frame_are_no_entry(entries: list[bytes], zeros: int) -> None:
    """A file that was extended but not filled before the power went away ends at its last whole frame."""
    assert read(b"".join(map(frame, entries)) + bytes(zeros)) == entries


@given(entries=ENTRIES, data=st.data())
@settings(max_examples=200)
def test_a_changed_byte_ends_the_reading_there(entries: list[bytes], data: st.DataObject) -> None:
    """A frame with a wrong bit is never taken for an entry, whichever byte of it changed."""
    sound = bytearray(b"".join(map(frame, entries)))
    where = data.draw(st.integers(0, len(sound) - 1))
    sound[where] ^= 1 << data.draw(st.integers(0, 7))
    assert read(bytes(sound)) == entries[: len(read(bytes(sound)))]
    assert len(read(bytes(sound))) < len(entries)


def test_a_frame_sealed_in_place_is_the_same_frame() -> None:
    """Filling in the header of an entry written into the turn's buffer gives the bytes of `frame`."""
    buffer = bytearray(b"before" + bytes(8) + b"entry")
    seal_frame(buffer, 6)
    assert bytes(buffer[6:]) == frame(b"entry")


def test_frames_know_their_place_in_the_segment() -> None:
    """Positions count from the beginning of the segment, not of the chunk that was read."""
    data = frame(b"one") + frame(b"two")
    assert [(found.start, found.end) for found in frames(data, 100, MAX)] == [(100, 111), (111, 122)]
