"""Recorded decisions as columns for a simulation, read from Parquet or from a segment that is still open.

A large log is sampled by the last 32 bits of a prediction's id, which are random and independent of everything about
the request: whoever is below `keep` × 2³² is taken, so each had exactly this probability.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gateway.record.frames import Frame
from review.simulation.chunk import Chunk, Coded, Flags, Ints, Items
from review.traffic.batches import batches

ROWS = 50_000
COLUMNS = (
    "prediction", "tenant", "model", "at_us", "evaluated_us", "release", "decided_rule", "path", "rule", "flag_state",
    "api_key", "asked", "input_digest", "stickiness", "sticky_field", "context", "unread", "folded", "items", "answers",
    "unfit",
)  # fmt: skip
_CODED = ("tenant", "model", "release", "decided_rule", "path", "rule", "flag_state", "api_key")
_RANDOM = slice(28, 36)
"""Where the last 32 bits stand in an id's text."""
_DIGITS = np.zeros(256, dtype=np.int64)
_DIGITS[np.frombuffer(b"0123456789abcdef", dtype=np.uint8)] = np.arange(16)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which decisions are read: of a tenant's model, decided in [since, until), each with the probability `keep`."""

    tenant: str
    model: str
    since_us: int
    until_us: int
    keep: float = 1.0
    fields: tuple[str, ...] = ()
    """The fields of the context that somebody will look at."""


def sealed_chunks(part: Path, wanted: Wanted) -> Iterator[Chunk]:
    """The wanted decisions of one Parquet file."""
    with pq.ParquetFile(part, read_dictionary=list(_CODED)) as file:
        there = [name for name in COLUMNS if name in file.schema_arrow.names]
        for groups in _grouped([file.metadata.row_group(place).num_rows for place in range(file.num_row_groups)]):
            yield from _chunks(file.read_row_groups(groups, columns=there, use_threads=False), wanted)


def open_chunks(segment: str, frames: Iterable[Frame], wanted: Wanted) -> Iterator[Chunk]:
    """The wanted decisions among the entries of a segment that is still open."""
    for batch in batches(segment, frames, ("decided",)):
        yield from _chunks(pa.Table.from_batches([batch.rows]), wanted)


def count_rows(part: Path) -> int:
    """How many entries a Parquet file has, whosever they are."""
    with pq.ParquetFile(part) as file:
        rows: int = file.metadata.num_rows
        return rows


def drawn(predictions: Sequence[str]) -> Ints:
    """The random 32 bits of each prediction's id, by which it is sampled and chosen as an example."""
    if not predictions:
        return np.zeros(0, dtype=np.int64)
    letters = np.array([one[_RANDOM] for one in predictions], dtype="S8").view(np.uint8).reshape(-1, 8)
    digits: Ints = _DIGITS[letters] @ (16 ** np.arange(7, -1, -1))
    return digits


def _grouped(rows: Sequence[int]) -> Iterator[list[int]]:
    """The row groups of a file, as many together as have about so many rows as one reads at once."""
    together: list[int] = []
    for place in range(len(rows)):
        together.append(place)
        if sum(rows[one] for one in together) >= ROWS:
            yield together
            together = []
    if together:
        yield together


def _chunks(table: pa.Table, wanted: Wanted) -> Iterator[Chunk]:
    """The wanted rows of a table as a chunk, if there are any."""
    kept = pc.and_(pc.equal(table["tenant"], wanted.tenant), pc.equal(table["model"], wanted.model))
    at_us = table["at_us"]
    kept = pc.and_(kept, pc.and_(pc.greater_equal(at_us, wanted.since_us), pc.less(at_us, wanted.until_us)))
    table = table.filter(kept)
    if wanted.keep < 1.0:
        table = table.filter(pa.array(drawn(table["prediction"].to_pylist()) < wanted.keep * 2**32))
    if table.num_rows:
        yield _chunk(table.combine_chunks(), wanted)


def _chunk(table: pa.Table, wanted: Wanted) -> Chunk:
    asked = _column(table, "asked", pa.bool_()).cast(pa.int64()).fill_null(-1)
    return Chunk(
        prediction=table["prediction"].to_pylist(),
        at_us=_ints(table["at_us"]),
        evaluated_us=_ints(_column(table, "evaluated_us", pa.int64()).fill_null(0)),
        release=_coded(table["release"]),
        decided_rule=_coded(table["decided_rule"]),
        path=_coded(table["path"]),
        rule=_coded(table["rule"]),
        state=_coded(table["flag_state"]),
        caller=_coded(table["api_key"]),
        asked=_ints(asked),
        digest=table["input_digest"].to_pylist(),
        sticky=_column(table, "stickiness", pa.string()).to_pylist(),
        sticky_field=_coded(_column(table, "sticky_field", pa.string()).fill_null("")),
        context=_context(table, wanted.fields),
        unread=_unread(table, wanted.fields),
        folded=pc.is_valid(table["folded"]).to_numpy(zero_copy_only=False),
        items=_items(table),
    )


def _items(table: pa.Table) -> Items:
    """The items; an entry that was folded has none."""
    listed = _flat(table["items"])
    facts, count = listed.flatten(), table.num_rows
    first = _ints(listed.offsets) - int(listed.offsets[0].as_py()) if count else np.zeros(1, dtype=np.int64)
    score, held = pc.struct_field(facts, "score"), pc.struct_field(facts, "held")
    return Items(
        first=first,
        score=score.fill_null(np.nan).to_numpy(zero_copy_only=False),
        scored=pc.is_valid(score).to_numpy(zero_copy_only=False),
        answer=_beside(table, "answers", len(facts)),
        unfit=_beside(table, "unfit", len(facts)),
        held=_bools(held),
        audit_probability=pc.struct_field(facts, "audit_probability").fill_null(0.0).to_numpy(zero_copy_only=False),
    )


def _beside(table: pa.Table, name: str, items: int) -> Coded:
    """A column with one text an item; none where the entries are older than the column."""
    if name in table.column_names:
        texts = _flat(table[name]).flatten()
        if len(texts) == items:
            return _coded(texts)
    return Coded((), np.full(items, -1, dtype=np.int64))


def _context(table: pa.Table, names: tuple[str, ...]) -> dict[str, list[str | None]]:
    """For each field that somebody will look at, and that some row has, its text in each row."""
    if not names or "context" not in table.column_names:
        return {}
    recorded = _flat(table["context"])
    offsets = _ints(recorded.offsets)
    begin, end = int(offsets[0]), int(offsets[-1])
    keys, texts = _coded(recorded.keys[begin:end]), recorded.items[begin:end]
    row = np.repeat(np.arange(table.num_rows), np.diff(offsets))
    found: dict[str, list[str | None]] = {}
    for name in names:
        at = np.flatnonzero(keys.equals(name))
        if len(at):
            column: list[str | None] = [None] * table.num_rows
            for place, text in zip(row[at].tolist(), texts.take(pa.array(at)).to_pylist(), strict=True):
                column[place] = text
            found[name] = column
    return found


def _unread(table: pa.Table, names: tuple[str, ...]) -> dict[str, Flags]:
    """For each field that somebody will look at the rows that were told it, and keep no value."""
    if not names or "unread" not in table.column_names:
        return {}
    listed = _flat(table["unread"])
    keys, row = _coded(listed.flatten()), _ints(pc.list_parent_indices(listed))
    found = {}
    for name in names:
        at = row[keys.equals(name)]
        if len(at):
            found[name] = np.zeros(table.num_rows, dtype=np.bool_)
            found[name][at] = True
    return found


def _column(table: pa.Table, name: str, kind: pa.DataType) -> pa.Array:
    """A column, or one of nulls where the file is older than it."""
    return _flat(table[name]) if name in table.column_names else pa.nulls(table.num_rows, kind)


def _flat(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _coded(column: pa.ChunkedArray | pa.Array) -> Coded:
    flat = _flat(column)
    if isinstance(flat, pa.ChunkedArray):  # without a single chunk
        return Coded((), np.zeros(0, dtype=np.int64))
    coded = flat if isinstance(flat, pa.DictionaryArray) else flat.dictionary_encode()
    return Coded(coded.dictionary.to_pylist(), _ints(coded.indices.cast(pa.int64()).fill_null(-1)))


def _ints(column: pa.ChunkedArray | pa.Array) -> Ints:
    found: Ints = _flat(column).to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    return found


def _bools(column: pa.Array) -> Flags:
    found: Flags = column.fill_null(False).to_numpy(zero_copy_only=False).astype(np.bool_, copy=False)
    return found
