"""One segment to Parquet, in a child process: `python -m review.traffic.parts SEGMENT TRAFFIC COMMITTED`.

The child prints a PartsReport as JSON. Every file is written below `sealed/tmp`, synced, and renamed to a name that
follows from the segment alone, so doing it again after a kill replaces the same files by the same content; none of them
counts before the ledger has registered it.
"""

import gc
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from gateway.record.entries import EntryKind, kind_of
from gateway.record.frames import HEADER_BYTES
from gateway.record.reader import Recorded, SegmentReader
from gateway.record.sealed import SealedPart, SealedSegment
from gateway.record.segment import process_of, sync_directory
from gateway.times import iso
from review.traffic.columns import BATCH_ROWS, SCHEMAS, batches, span_us

TEMPORARY = Path("sealed", "tmp")
BEHIND_WORKER = 5
"""Steps of niceness: entries are safe and can be read where they lie, so that turning them into Parquet can wait.

Beside gateways that never rest a tenth of the processor is left for it. It takes most of what an answer takes.
"""


class PartsReport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a segment: its parts, or None while entries before `end` are not committed by every consumer."""

    end: int
    sealed: SealedSegment | None = None


class PartSteps:
    """The work on one segment as steps: iterate, and `report` is there at the end.

    Between two steps the process may be killed without harm; each step's name says what is done by then.
    """

    def __init__(self, segment: Path, traffic: Path, committed: int) -> None:
        self.report = PartsReport(end=0)
        self._segment = segment
        self._traffic = traffic
        self._committed = committed
        self._tally = _Tally()

    def __iter__(self) -> Iterator[str]:
        end = _sound_end(self._segment)
        self.report = PartsReport(end=end)
        if end > HEADER_BYTES and self._committed < end:
            return
        written = self._write()
        yield "written"
        parts = []
        for kind, path in written.items():
            parts.append(self._name(kind, path))
            yield f"named {kind}"
        self.report = PartsReport(end=end, sealed=self._sealed(tuple(parts)))

    def _write(self) -> dict[EntryKind, Path]:
        """The segment's entries in temporary files, one for each kind that occurs, synced."""
        folder = self._traffic / TEMPORARY
        folder.mkdir(parents=True, exist_ok=True)
        writers: dict[EntryKind, tuple[Path, pq.ParquetWriter]] = {}
        try:
            for kind, batch in self._batches():
                if kind not in writers:
                    path = folder / f"{self._segment.stem}.{kind}.{uuid4().hex}"
                    writers[kind] = path, pq.ParquetWriter(path, SCHEMAS[kind], compression="zstd")
                writers[kind][1].write_batch(batch)
        finally:
            for _path, writer in writers.values():
                writer.close()
        for path, _writer in writers.values():
            _sync(path)
        return {kind: path for kind, (path, _writer) in sorted(writers.items())}

    def _batches(self) -> Iterator[tuple[EntryKind, pa.RecordBatch]]:
        """The entries as batches of one kind each, never more than BATCH_ROWS of a kind in memory."""
        waiting: dict[EntryKind, list[Recorded]] = {kind: [] for kind in SCHEMAS}
        with SegmentReader(self._segment) as reader:
            for recorded in reader:
                kind = kind_of(recorded.entry)
                self._tally.add(kind, recorded)
                waiting[kind].append(recorded)
                if len(waiting[kind]) == BATCH_ROWS:
                    yield from ((kind, batch) for batch in batches(waiting[kind], SCHEMAS[kind]))
                    waiting[kind] = []
            self._tally.torn_bytes = reader.torn_bytes
        for kind, rest in waiting.items():
            yield from ((kind, batch) for batch in batches(rest, SCHEMAS[kind]))

    def _name(self, kind: EntryKind, path: Path) -> SealedPart:
        day = iso(self._tally.first_us or 0)[:10]
        location = Path("sealed", kind, day, f"{self._segment.stem}.parquet")
        target = self._traffic / location
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        for folder in (target.parent, target.parent.parent, target.parent.parent.parent):
            sync_directory(folder)
        with target.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size, rows = target.stat().st_size, self._tally.rows[kind]
        return SealedPart(kind=kind, location=location.as_posix(), sha256=digest, bytes=size, rows=rows)

    def _sealed(self, parts: tuple[SealedPart, ...]) -> SealedSegment:
        name, tally = self._segment.stem, self._tally
        return SealedSegment(
            name=name,
            process=process_of(name),
            entries=sum(tally.rows.values()),
            torn_bytes=tally.torn_bytes,
            parts=parts,
            first_us=tally.first_us,
            last_us=tally.last_us,
        )


class _Tally:
    """What was seen of a segment so far."""

    def __init__(self) -> None:
        self.rows: dict[EntryKind, int] = dict.fromkeys(SCHEMAS, 0)
        self.first_us: int | None = None
        self.last_us: int | None = None
        self.torn_bytes = 0

    def add(self, kind: EntryKind, recorded: Recorded) -> None:
        first, last = span_us(recorded.entry)
        self.rows[kind] += 1
        self.first_us = first if self.first_us is None else min(first, self.first_us)
        self.last_us = last if self.last_us is None else max(last, self.last_us)


def _sound_end(segment: Path) -> int:
    """Where the last whole frame of a segment ends."""
    with SegmentReader(segment) as reader:
        for _frame in reader.frames():
            pass
        return reader.end


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def main(segment: str, traffic: str, committed: str) -> None:
    """Seal one segment and print the report."""
    steps = PartSteps(Path(segment), Path(traffic), int(committed))
    for _step in steps:
        pass
    sys.stdout.write(msgspec.json.encode(steps.report).decode())


if __name__ == "__main__":
    if sys.platform == "linux":
        os.nice(BEHIND_WORKER)
    gc.disable()  # rows are dropped a batch at a time and make no cycles; looking for some took a fifth of the time
    main(*sys.argv[1:])
