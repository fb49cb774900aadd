"""Corrections as Parquet, CSV or JSON Lines: the same columns in each, written as they are read.

A text in a CSV that a spreadsheet could take for a formula gets an apostrophe in front, and so does one that begins
with an apostrophe: whoever takes one leading apostrophe away has the text again.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from math import isfinite
from typing import Any, Literal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from gateway.labels import Answer
from review.library.corrections import Correction, shown_text

Format = Literal["parquet", "csv", "jsonl"]
Kind = Literal["text", "integer", "real", "flag"]
Row = tuple[Any, ...]
MEDIA_TYPES: dict[Format, str] = {
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
}
BATCH_ROWS = 1000
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""What a text may begin with that a spreadsheet takes for something else, and the mark itself."""
_TYPES = {"text": pa.string(), "integer": pa.int64(), "real": pa.float64(), "flag": pa.bool_()}


class Column(msgspec.Struct, frozen=True):
    """One column of every export."""

    name: str
    kind: Kind
    meaning: str
    value: Callable[[Correction], object]

    @property
    def dtype(self) -> str:
        """Its type in Parquet."""
        return str(_TYPES[self.kind])


def answer_text(answer: Answer | None) -> str | None:
    """An answer as text; a number in as few digits as give it again."""
    return answer if answer is None or isinstance(answer, str) else repr(float(answer))


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _said(correction: Correction, field: str) -> str | None:
    return "\n".join(filter(None, (getattr(said, field) for said in correction.said))) or None


def _shown(correction: Correction) -> str | None:
    return "\n\n".join(shown_text(one) for one in correction.shown if one.kind not in ("missing", "image")) or None


COLUMNS = (
    Column("prediction_id", "text", "the prediction", lambda one: str(one.prediction_id)),
    Column("item", "integer", "the item, from 1", lambda one: one.item),
    Column("revision", "integer", "the revision of the item's outcome, from 1", lambda one: one.revision),
    Column("model", "text", "the model", lambda one: one.model),
    Column("release", "text", "the release that answered", lambda one: one.release),
    Column("kind", "text", "the kind of case; none for a ground truth", lambda one: one.kind),
    Column("queue", "text", "the queue of the case", lambda one: one.queue),
    Column("source", "text", "people, adjudication or truth:NAME", lambda one: one.source),
    Column("status", "text", "answered or unanswerable", lambda one: one.status),
    Column("answer", "text", "the settled answer", lambda one: answer_text(one.answer)),
    Column("model_answer", "text", "what the model said", lambda one: answer_text(one.model_answer)),
    Column("confidence", "real", "how sure the model was", lambda one: _finite(one.confidence)),
    Column("differs", "flag", "whether the two differ, as the label schema defines it", lambda one: one.differs),
    Column("is_truth", "flag", "whether it is the highest-ranked outcome of its item", lambda one: one.is_truth),
    Column("verdicts", "text", "the kinds of the round's verdicts, one a line", lambda one: _said(one, "kind")),
    Column("reviewers", "text", "who judged, one a line, where one may see it", lambda one: _said(one, "person")),
    Column("reasons", "text", "the reason codes, one a line", lambda one: _said(one, "reason_code")),
    Column("rationales", "text", "the rationales, one a line", lambda one: _said(one, "rationale")),
    Column("shown", "text", "what people saw, as text", _shown),
    Column("request_id", "text", "the id of the caller's own request", lambda one: one.request_id),
    Column("decided_us", "integer", "when the model answered, in microseconds UTC", lambda one: one.decided_us),
    Column("created_us", "integer", "when it was settled, in microseconds UTC", lambda one: one.created_us),
)


def row_of(correction: Correction) -> Row:
    """The values of a correction, in the order of `COLUMNS`."""
    return tuple(column.value(correction) for column in COLUMNS)


async def export(corrections: AsyncIterator[Correction], format_: Format) -> AsyncIterator[bytes]:
    """The corrections as a file of this format, in parts; no more than one batch is in memory at a time."""
    writer = _WRITERS[format_]()
    rows: list[Row] = []
    async for correction in corrections:
        rows.append(row_of(correction))
        if len(rows) == BATCH_ROWS:
            yield await asyncio.to_thread(writer.write, rows)
            rows = []
    yield await asyncio.to_thread(writer.end, rows)


class _Lines:
    """JSON Lines: an object a line, each with every column."""

    def write(self, rows: Sequence[Row]) -> bytes:
        names = [column.name for column in COLUMNS]
        return b"".join(msgspec.json.encode(dict(zip(names, row, strict=True))) + b"\n" for row in rows)

    def end(self, rows: Sequence[Row]) -> bytes:
        return self.write(rows)


class _Csv:
    """CSV as RFC 4180 has it, with a heading; what is missing is an empty cell."""

    def __init__(self) -> None:
        self._begun = False

    def write(self, rows: Sequence[Row]) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        if not self._begun:
            writer.writerow([column.name for column in COLUMNS])
            self._begun = True
        writer.writerows([_cell(value) for value in row] for row in rows)
        return text.getvalue().encode()

    def end(self, rows: Sequence[Row]) -> bytes:
        return self.write(rows)


def _cell(value: object) -> str:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else repr(value)


class _Parquet:
    """Parquet: a row group a batch."""

    _SCHEMA = pa.schema([(column.name, _TYPES[column.kind]) for column in COLUMNS])

    def __init__(self) -> None:
        self._part = _Part()
        self._writer = pq.ParquetWriter(pa.PythonFile(self._part, mode="w"), self._SCHEMA, compression="zstd")

    def write(self, rows: Sequence[Row]) -> bytes:
        columns = zip(*rows, strict=True) if rows else ([] for _ in COLUMNS)
        arrays = [pa.array(list(values), field.type) for values, field in zip(columns, self._SCHEMA, strict=True)]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._SCHEMA))
        return self._part.taken()

    def end(self, rows: Sequence[Row]) -> bytes:
        last = self.write(rows) if rows else b""
        self._writer.close()
        return last + self._part.taken()


class _Part(io.RawIOBase):
    """What was written since it was last taken; its position is that in the whole file."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._kept += data
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def taken(self) -> bytes:
        """The bytes that were written since."""
        data = bytes(self._kept)
        self._kept.clear()
        return data


_WRITERS: dict[Format, type[_Lines | _Csv | _Parquet]] = {"parquet": _Parquet, "csv": _Csv, "jsonl": _Lines}
