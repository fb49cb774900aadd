"""Entries to bytes and back."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ids import new_id
from gateway.record.codec import ENTRY_MAX_BYTES, decode, encode, fold
from gateway.record.entries import Entry, kind_of
from tests.unit.record.samples import decided, delivered, refused, shadowed

ENTRIES = [decided(), decided(path="review", items=20), shadowed(new_id()), delivered(new_id()), refused()]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{kind_of(entry)}-{len(encode(entry))}")
def test_an_entry_is_read_back_as_it_was_written(entry: Entry) -> None:
    """Every field of every kind of entry survives encoding."""
    assert decode(encode(entry)) == entry


def test_an_ordinary_batch_fits_whole() -> None:
    """A request of 32 rows is one entry of at most 4 KiB, with all its items."""
    assert len(encode(decided(items=32))) <= ENTRY_MAX_BYTES


@given(
    rows=st.integers(0, 3000), path=st.sampled_from(["automated", "review"]), text=st.text(max_size=3000),
    tensor=st.binary(max_size=9000),
)  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_a_folded_entry_always_fits_and_still_counts(rows: int, path: str, text: str, tensor: bytes) -> None:
    """However long a caller's id, a rule's name, the tensors or the batch, the head fits and keeps the numbers."""
    entry = decided(items=rows, path=path, rule=text, request_id=text * 3, text=tensor)  # type: ignore[arg-type]
    head = fold(entry, encode(entry))
    assert len(encode(head)) <= ENTRY_MAX_BYTES
    assert decode(encode(head)) == head
    assert (head.path, head.release, head.item_count, head.held_count) == (  # type: ignore[union-attr]
        entry.path, entry.release, rows, entry.held_count,
    )  # fmt: skip


@given(text=st.text(min_size=200, max_size=5000))
def test_heads_of_the_other_kinds_fit_too(text: str) -> None:
    """Long texts in shadow runs and deliveries are cut."""
    for entry in (
        msgspec.structs.replace(shadowed(new_id()), reason=text, differing=tuple(range(5000))),
        msgspec.structs.replace(delivered(new_id()), review_status=text),
        msgspec.structs.replace(refused(), code=text),
    ):
        assert len(encode(fold(entry, encode(entry)))) <= ENTRY_MAX_BYTES


def test_fields_of_a_later_release_are_passed_over() -> None:
    """An entry with a field that this release does not know is still read."""
    known = delivered(new_id())
    later = msgspec.msgpack.decode(encode(known)) | {"mood": "sunny"}
    assert decode(msgspec.msgpack.encode(later)) == known
