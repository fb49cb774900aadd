"""The Parquet files of a dataset, written row group by row group and read back in batches. The door to pyarrow here.

The bytes depend on the rows alone: groups are cut by count, and nothing of the time or the machine goes in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gateway.protocol.datatypes import Tensor

GROUP_ROWS = 4096
GROUP_MAX_BYTES = 32 << 20
"""Wide inputs make smaller groups."""
_TYPES: Mapping[str, Any] = {
    "BOOL": pa.bool_(), "UINT8": pa.uint8(), "UINT16": pa.uint16(), "UINT32": pa.uint32(), "UINT64": pa.uint64(),
    "INT8": pa.int8(), "INT16": pa.int16(), "INT32": pa.int32(), "INT64": pa.int64(), "FP16": pa.float16(),
    "FP32": pa.float32(), "FP64": pa.float64(), "BYTES": pa.string(),
}  # fmt: skip
_TEXT, _WHOLE, _REAL, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
ANNOTATIONS = pa.schema(
    {
        "prediction": _TEXT, "item": _WHOLE, "case": _TEXT, "person": _TEXT, "kind": _TEXT, "answer": _TEXT,
        "reason": _TEXT, "rationale": _TEXT, "when_us": _WHOLE, "active_s": _REAL, "guideline": _TEXT, "round": _WHOLE,
        "adjudicated": _FLAG, "effective": _FLAG,
    }
)  # fmt: skip
_ITEM = {
    "prediction": _TEXT, "item": _WHOLE, "input_sha256": _TEXT, "answer": _TEXT, "kind": _TEXT,
    "inclusion_probability": _REAL, "outcome_revision": _WHOLE, "source": _TEXT, "people": _WHOLE, "said": _TEXT,
    "score": _REAL, "decided_us": _WHOLE, "settled_us": _WHOLE, "split": _TEXT,
}  # fmt: skip


def items_schema(inputs: Mapping[str, str], beside: Mapping[str, str], slices: Sequence[str]) -> Any:
    """The columns of an items file: `input.NAME` holds an item's elements and `shape.NAME` its shape.

    `inputs` and `beside` are datatypes by name; `answer` and `said` are JSON, so that a number stays one.
    """
    columns = dict(_ITEM) | {f"slice.{name}": _TEXT for name in slices}
    for place, tensors in (("input", inputs), ("beside", beside)):
        for name, datatype in tensors.items():
            columns[f"{place}.{name}"] = pa.list_(_TYPES[datatype])
            columns[f"shape.{name}"] = pa.list_(pa.int32())
    return pa.schema(columns)


_Chunk = tuple[int, Tensor | None]
"""A number of rows, at least one, and their tensor of [rows, …]; null in each of them where there is none."""


class ParquetWriter:
    """Writes rows, a tuple of plain columns each, and beside them tensors of [rows, …] by column."""

    def __init__(self, path: Path, schema: Any, tensors: Sequence[str] = ()) -> None:
        self.rows = 0
        self._schema = schema
        self._plain = [name for name in schema.names if name not in {*tensors, *map(_shape_of, tensors)}]
        self._file = pq.ParquetWriter(path, schema, compression="zstd")
        self._waiting: list[tuple[Any, ...]] = []
        self._tensors: dict[str, list[_Chunk]] = {name: [] for name in tensors}
        self._bytes = 0

    def add(self, rows: Sequence[tuple[Any, ...]], tensors: Mapping[str, Tensor]) -> None:
        """Add rows with their tensors; a tensor that is not given is null."""
        self._waiting.extend(rows)
        for name, kept in self._tensors.items():
            given = tensors.get(name)
            kept.append((len(rows), given))
            self._bytes += 0 if given is None else given.nbytes
        if self._tensors:
            if len(self._waiting) >= GROUP_ROWS or self._bytes >= GROUP_MAX_BYTES:
                self._flush(len(self._waiting))
            return
        while len(self._waiting) >= GROUP_ROWS:  # cut by count alone, however many rows came at once
            self._flush(GROUP_ROWS)

    def close(self) -> None:
        """Write what is left and end the file."""
        if self._waiting:
            self._flush(len(self._waiting))
        self._file.close()

    def _flush(self, count: int) -> None:
        rows = self._waiting[:count]
        columns: dict[str, Any] = dict(zip(self._plain, zip(*rows, strict=True), strict=True))
        arrays = {name: pa.array(values, self._schema.field(name).type) for name, values in columns.items()}
        for name, kept in self._tensors.items():
            arrays[name] = _lists(kept, self._schema.field(name).type)
            shapes = [None if given is None else given.shape[1:] for many, given in kept for _row in range(many)]
            arrays[_shape_of(name)] = pa.array(shapes, pa.list_(pa.int32()))
            kept.clear()
        ordered = [arrays[name] for name in self._schema.names]
        self._file.write_batch(pa.RecordBatch.from_arrays(ordered, schema=self._schema))
        self.rows += count
        del self._waiting[:count]
        self._bytes = 0


def read_rows(path: Path, columns: Sequence[str], *, split: str | None = None) -> Iterator[dict[str, list[Any]]]:
    """The named columns of a file in batches, as lists; of one split if it is named."""
    wanted = [*columns, *(["split"] if split is not None and "split" not in columns else [])]
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=GROUP_ROWS, columns=wanted):
            kept = batch if split is None else batch.filter(pc.equal(batch["split"], split))
            if kept.num_rows:
                yield {name: kept[name].to_pylist() for name in columns}


def copy_rows(source: Path, target: Path, columns: Sequence[str], keep: Callable[..., Sequence[bool]]) -> int:
    """Copy the rows of a file that `keep` says True of, told a batch's named columns; how many were copied."""
    rows = 0
    with pq.ParquetFile(source) as file, pq.ParquetWriter(target, file.schema_arrow, compression="zstd") as writer:
        for batch in file.iter_batches(batch_size=GROUP_ROWS):
            chosen = keep(*(batch[name].to_pylist() for name in columns))
            kept = batch.filter(pa.array(chosen, pa.bool_()))
            if kept.num_rows:
                writer.write_batch(kept)
            rows += kept.num_rows
    return rows


def columns_of(path: Path) -> list[str]:
    """The names of a file's columns."""
    return list(pq.read_schema(path).names)


def _shape_of(name: str) -> str:
    return "shape." + name.partition(".")[2]


def _lists(chunks: Sequence[_Chunk], kind: Any) -> Any:
    """An array of lists out of each row's elements; null where a row is none."""
    sizes = [0 if given is None else given.size // rows for rows, given in chunks for _row in range(rows)]
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
    present = [given.ravel() for _rows, given in chunks if given is not None and given.size]
    together = np.concatenate(present) if present else np.empty(0, dtype=object)
    values = pa.array(together.tolist() if together.dtype == object else together, kind.value_type)
    missing = pa.array([given is None for rows, given in chunks for _row in range(rows)], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=missing)
