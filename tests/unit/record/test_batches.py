"""The columns of entries say what the entries say, however they are read."""

import random
from collections.abc import Sequence

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.record.codec import decode, encode
from gateway.record.entries import EntryKind, kind_of
from gateway.record.errors import TrafficLogUnreadable
from gateway.record.frames import Frame
from review.traffic.batches import BATCH_ROWS, KINDS, Batch, batches
from review.traffic.columns import SCHEMAS
from tests.unit.record.all_kinds import ALL_KINDS
from tests.unit.record.by_row import row_of, span_us
from tests.unit.record.casts import beside, plain
from tests.unit.record.samples import decided

SEGMENT = "gateway-1.w.000001"


def frames(entries: Sequence[bytes]) -> list[Frame]:
    """Them as they would lie in a segment."""
    return [Frame(100 * place, 100 * place + 99, data) for place, data in enumerate(entries)]


def expected(found: Sequence[Frame], kind: EntryKind) -> pa.Table:
    """The columns of the entries of a kind, made row by row."""
    rows = [row_of(SEGMENT, one) for one in found if kind_of(decode(one.data)) == kind]
    return pa.Table.from_pylist(rows, schema=SCHEMAS[kind])


def table(made: Sequence[Batch], kind: EntryKind) -> pa.Table:
    """What batches say of a kind."""
    return pa.Table.from_batches([batch.rows for batch in made if batch.kind == kind], SCHEMAS[kind])


def held_to_rows(entries: Sequence[bytes]) -> None:
    """Every column of every kind, and the span, are those of the entries taken one by one."""
    found = frames(entries)
    made = list(batches(SEGMENT, found))
    for kind in KINDS:
        assert table(made, kind).equals(expected(found, kind))
        assert table(list(batches(SEGMENT, found, (kind,))), kind).equals(expected(found, kind))
    spans = [span_us(one) for one in found]
    assert min(batch.first_us for batch in made) == min(first for first, _ in spans)
    assert max(batch.last_us for batch in made) == max(last for _, last in spans)


@pytest.mark.parametrize("data", ALL_KINDS.values(), ids=ALL_KINDS)
def test_the_columns_of_an_entry_say_what_it_says(data: bytes) -> None:
    """Of every kind, whole, folded, older and later, cast in a mould or not."""
    held_to_rows([data])


@given(chosen=st.lists(st.sampled_from(list(ALL_KINDS.values())), min_size=1, max_size=60))
@settings(max_examples=40, deadline=None)
def test_entries_among_others_keep_their_columns_and_their_order(chosen: list[bytes]) -> None:
    """Whatever stands before an entry or behind it."""
    held_to_rows(chosen)


def test_many_entries_come_in_batches() -> None:
    """No batch is longer than so many rows, and together they are all, in order."""
    entries = random.Random(3).choices([plain(), plain(items=2), beside(), encode(decided())], k=2 * BATCH_ROWS)
    held_to_rows(entries)
    lengths = [batch.rows.num_rows for batch in batches(SEGMENT, frames(entries))]
    assert (max(lengths), lengths.count(BATCH_ROWS)) == (BATCH_ROWS, len(lengths) - 2)


def test_an_entry_that_nobody_knows_is_told_by_its_place() -> None:
    """Also where only others were asked for."""
    unknown = msgspec.msgpack.encode({"kind": "dreamt/1"})
    for kinds in (KINDS, ("refused",)):
        with pytest.raises(TrafficLogUnreadable, match="at byte 100"):
            list(batches(SEGMENT, frames([plain(), unknown]), kinds))
