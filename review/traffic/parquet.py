"""The Parquet file of one kind of entry: rows in groups, encoded by what its columns are like."""

from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.record.entries import EntryKind
from review.traffic.columns import SCHEMAS

GROUP_ROWS = 10_000
GROUP_BYTES = 16 << 20
"""Rows wait for their group up to so many bytes of entries."""
_ENTRY = "entry"
_VARIED = {
    "at_us", "prediction", "offset", _ENTRY, "request_id", "input_digest", "output_digest", "response_digest",
    "evaluated_us", "stickiness", "items.list.element.score", "items.list.element.audit_draw",
    "items.list.element.evidence.key_value.value",
}  # fmt: skip
"""Columns in which few values come twice, so that looking for those takes longer than writing them."""


class PartFile:
    """A Parquet file in the making; a context manager that ends it."""

    def __init__(self, path: Path, kind: EntryKind) -> None:
        self.path = path
        self._schema = SCHEMAS[kind]
        names = _leaves(self._schema)
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            compression="zstd",
            use_dictionary=[name for name in names if name not in _VARIED],
            write_statistics=[name for name in names if name != _ENTRY],
            write_batch_size=GROUP_ROWS,
        )
        self._waiting: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0
        """What waits for its group."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._write()
        self._writer.close()

    def add(self, rows: pa.RecordBatch) -> None:
        """Put rows behind the others."""
        self._waiting.append(rows)
        self._rows += rows.num_rows
        self._bytes += rows[_ENTRY].nbytes
        if self._rows >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
            self._write()

    def _write(self) -> None:
        """Write those that wait as one group."""
        if self._waiting:
            group = pa.Table.from_batches(self._waiting, self._schema)
            self._writer.write_table(group, row_group_size=group.num_rows)
            self._waiting = []
            self._rows = self._bytes = 0


def _leaves(schema: pa.Schema) -> list[str]:
    """The paths of a schema's columns, as Parquet names them."""
    sink = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), sink)
    leaves = pq.ParquetFile(pa.BufferReader(sink.getvalue())).schema
    return [leaves.column(place).path for place in range(len(leaves))]
