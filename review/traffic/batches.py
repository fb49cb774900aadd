"""Frames of the traffic log to record batches, with the columns of `review.traffic.columns`.

Columns are made of lists, and those of what entries have in common are taken from one row for all of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from gateway.ids import id_bytes_time_us
from gateway.record.alike import NO_TENSORS, Alike, Beginnings, Own, OwnDecided, OwnShadowed
from gateway.record.codec import kind_in
from gateway.record.entries import Entry, EntryKind, Folded, kind_of
from gateway.record.frames import Frame
from gateway.record.reader import entry_in
from review.traffic import arrays
from review.traffic.columns import SCHEMAS, STAGES
from review.traffic.rows import Row, common_row, own_fields

BATCH_ROWS = 2000
KINDS: tuple[EntryKind, ...] = tuple(SCHEMAS)
_OWN = {"at_us", "prediction", "segment", "offset", "entry"}
_OWN_OF: dict[EntryKind, set[str]] = {
    "decided": {
        "evaluated_us", "api_key", "request_id", "input_digest", "output_digest", "items", "answers", "unfit",
        "item_count", "held_count", "audited_count", *STAGES,
    },
    "shadowed": {"status", "reason", "differing", "item_count", "output_digest", "run_us", "differing_count"},
}  # fmt: skip
_COMMON = {
    kind: pa.schema([field for field in schema if field.name not in _OWN | _OWN_OF.get(kind, set())])
    for kind, schema in SCHEMAS.items()
}
_Columns = dict[str, pa.Array]


class Batch(Struct, frozen=True, kw_only=True):
    """Entries of one kind, in the order of their segment."""

    kind: EntryKind
    rows: pa.RecordBatch
    first_us: int
    """From when to when the entries and their predictions lie."""
    last_us: int


def batches(segment: str, frames: Iterable[Frame], kinds: Sequence[EntryKind] = KINDS) -> Iterator[Batch]:
    """The entries of these kinds as batches of at most BATCH_ROWS rows; never more of a kind are in memory.

    Raises: TrafficLogUnreadable.
    """
    waiting = {kind: _Rows(kind, segment) for kind in kinds}
    beginnings, some = Beginnings(), len(waiting) < len(KINDS)
    for found in frames:
        if some and (kind := kind_in(found.data)) is not None and kind not in waiting:
            continue
        alike = beginnings.of(found.data)
        own = None if alike is None else alike.own(found.data)
        if alike is None or own is None:
            entry = entry_in(segment, found)
            rows = waiting[kind_of(entry)]
            rows.add(entry, found)
        else:
            rows = waiting[alike.kind]
            rows.add_alike(alike, own, found)
        if len(rows.own) == BATCH_ROWS:
            yield rows.batch()
            waiting[rows.kind] = _Rows(rows.kind, segment)
    yield from (rows.batch() for rows in waiting.values() if rows.own)


class _Rows:
    """The entries of a batch in the making."""

    def __init__(self, kind: EntryKind, segment: str) -> None:
        self.kind: EntryKind = kind
        self.own: list[Any] = []
        """What is each entry's own, all of one type."""
        self._segment = segment
        self._common: list[Row] = []
        self._places: list[int] = []
        """For each entry where among them stands what it has in common with others."""
        self._place_of: dict[bytes, int] = {}
        self._frames: list[Frame] = []
        self._folded: dict[int, Folded] = {}
        """By row, of those that were folded."""

    def add_alike(self, alike: Alike, own: Own, found: Frame) -> None:
        """Add an entry that begins like others."""
        own.outputs = NO_TENSORS  # these stand in the entry, of which they would keep the bytes twice
        if isinstance(own, OwnDecided):
            own.inputs = NO_TENSORS
        place = self._place_of.get(alike.begin)
        if place is None:
            place = self._place_of[alike.begin] = len(self._common)
            self._common.append(common_row(alike.entry))
        self.own.append(own)
        self._places.append(place)
        self._frames.append(found)

    def add(self, entry: Entry, found: Frame) -> None:
        """Add an entry that was decoded whole."""
        if entry.folded is not None:
            self._folded[len(self.own)] = entry.folded
        self._places.append(len(self._common))
        self._common.append(common_row(entry))
        self.own.append(own_fields(entry))
        self._frames.append(found)

    def batch(self) -> Batch:
        """The entries as columns."""
        common = pa.RecordBatch.from_pylist(self._common, schema=_COMMON[self.kind]).take(pa.array(self._places))
        columns: _Columns = dict(zip(common.schema.names, common.columns, strict=True))
        times, ids = [own.at_us for own in self.own], [own.prediction for own in self.own]
        columns |= {
            "at_us": pa.array(times, pa.int64()),
            "prediction": arrays.ids(ids),
            "segment": pa.repeat(self._segment, len(self.own)),
            "offset": pa.array([found.start for found in self._frames], pa.int64()),
            "entry": pa.array([found.data for found in self._frames], pa.binary()),
        }
        if self.kind == "decided":
            columns |= _of_decided(self.own, self._folded)
            columns["stickiness"] = _stickiness(columns)
        elif self.kind == "shadowed":
            columns |= _of_shadowed(self.own, self._folded)
        schema = SCHEMAS[self.kind]
        return Batch(
            kind=self.kind,
            rows=pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema),
            first_us=min(*times, id_bytes_time_us(min(ids))),
            last_us=max(*times, id_bytes_time_us(max(ids))),
        )


def _of_decided(own: list[OwnDecided], folded: dict[int, Folded]) -> _Columns:
    items = [each.items for each in own]
    flat = list(chain.from_iterable(items))
    lengths = list(map(len, items))
    counts = {
        "item_count": np.array(lengths, dtype=np.int64),
        "held_count": arrays.sums(lengths, [item.held for item in flat]),
        "audited_count": arrays.sums(lengths, [item.audited for item in flat]),
    }
    for row, mark in folded.items():
        counts["item_count"][row], counts["held_count"][row] = mark.items, mark.held
        counts["audited_count"][row] = mark.audited
    answers = [None if item.answer is None else str(item.answer) for item in flat]
    stages = zip(*(each.stages for each in own), strict=True)
    return {
        "evaluated_us": pa.array([each.evaluated_us for each in own], pa.int64()),
        "api_key": arrays.ids([each.api_key for each in own]),
        "request_id": pa.array([each.request_id for each in own], pa.string()),
        "input_digest": pa.array([each.input_digest for each in own], pa.string()),
        "output_digest": pa.array([each.output_digest for each in own], pa.string()),
        "items": arrays.lists(lengths, arrays.items(flat)),
        "answers": arrays.lists(lengths, pa.array(answers, pa.string())),
        "unfit": arrays.lists(lengths, pa.array([item.unfit for item in flat], pa.string())),
        **{name: pa.array(counted) for name, counted in counts.items()},
        **{name: pa.array(took_us, pa.int64()) for name, took_us in zip(STAGES, stages, strict=True)},
    }


def _stickiness(columns: _Columns) -> pa.Array:
    """What each request sticks to: the digest of its input where its caller named nobody; of folded ones nothing."""
    digest = pc.if_else(pc.is_null(columns["folded"]), columns["input_digest"], None)
    return pc.coalesce(columns["stickiness"], digest)


def _of_shadowed(own: list[OwnShadowed], folded: dict[int, Folded]) -> _Columns:
    differing = [each.differing for each in own]
    lengths = list(map(len, differing))
    item_count, differing_count = [each.item_count for each in own], list(lengths)
    for row, mark in folded.items():
        differing_count[row] = mark.differing
    return {
        "status": pa.array([each.status for each in own], pa.string()),
        "reason": pa.array([each.reason for each in own], pa.string()),
        "differing": arrays.lists(lengths, pa.array(list(chain.from_iterable(differing)), pa.int64())),
        "item_count": pa.array(item_count, pa.int64()),
        "output_digest": pa.array([each.output_digest for each in own], pa.string()),
        "run_us": pa.array([each.run_us for each in own], pa.int64()),
        "differing_count": pa.array(differing_count, pa.int64()),
    }
