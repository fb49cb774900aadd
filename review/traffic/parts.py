"""Segments to Parquet, in a child process: `python -m review.traffic.parts TRAFFIC`.

The child reads an Order a line, and prints a PartsReport a line, as JSON; it ends with its orders, or with the first
segment that it cannot read. Every file is written below `sealed/tmp`, synced, and renamed to a name that
follows from the segment alone, so doing it again after a kill replaces the same files by the same content; none of them
counts before the ledger has registered it.
"""

import gc
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.abc import MetaPathFinder
from pathlib import Path
from uuid import uuid4

import msgspec
import pyarrow as pa
from msgspec import Struct

from gateway.record.entries import EntryKind
from gateway.record.frames import HEADER_BYTES
from gateway.record.reader import SegmentReader
from gateway.record.sealed import SealedPart, SealedSegment
from gateway.record.segment import process_of, sync_directory
from gateway.times import iso
from review.traffic.batches import Batch, batches
from review.traffic.columns import SCHEMAS
from review.traffic.parquet import PartFile

TEMPORARY = Path("sealed", "tmp")


class Order(Struct, frozen=True, kw_only=True):
    """A segment, and up to which byte every consumer has committed it."""

    segment: str
    committed: int


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
        self._end = HEADER_BYTES

    def __iter__(self) -> Iterator[str]:
        if self._segment.stat().st_size > self._committed:  # else all that may be in it is committed
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
        self.report = PartsReport(end=self._end, sealed=self._sealed(tuple(parts)))

    def _write(self) -> dict[EntryKind, Path]:
        """The segment's entries in temporary files, one for each kind that occurs, synced."""
        folder = self._traffic / TEMPORARY
        folder.mkdir(parents=True, exist_ok=True)
        files: dict[EntryKind, PartFile] = {}
        with ExitStack() as stack:
            for batch in self._batches():
                kind = batch.kind
                if kind not in files:
                    path = folder / f"{self._segment.stem}.{kind}.{uuid4().hex}"
                    files[kind] = stack.enter_context(PartFile(path, kind))
                files[kind].add(batch.rows)
        for file in files.values():
            _sync(file.path)
        return {kind: file.path for kind, file in sorted(files.items())}

    def _batches(self) -> Iterator[Batch]:
        """The entries in batches of one kind each, tallied."""
        with SegmentReader(self._segment) as reader:
            for batch in batches(reader.name, reader.frames()):
                self._tally.add(batch)
                yield batch
            self._tally.torn_bytes = reader.torn_bytes
            self._end = reader.end

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

    def add(self, batch: Batch) -> None:
        self.rows[batch.kind] += batch.rows.num_rows
        self.first_us = batch.first_us if self.first_us is None else min(batch.first_us, self.first_us)
        self.last_us = batch.last_us if self.last_us is None else max(batch.last_us, self.last_us)


def _sound_end(segment: Path) -> int:
    """Where the last whole frame of a segment ends."""
    with SegmentReader(segment) as reader:
        for _frame in reader.frames():
            pass
        return reader.end


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


class _WithoutPandas(MetaPathFinder):
    """Hides pandas: pyarrow imports it to look whether a list is one of its, which takes as long as a small segment."""

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(name=fullname)


def main(traffic: str) -> None:
    """Write the parts of each segment that is ordered, and print the reports."""
    for line in sys.stdin.buffer:
        order = msgspec.json.decode(line, type=Order)
        steps = PartSteps(Path(order.segment), Path(traffic), order.committed)
        for _step in steps:
            pass
        sys.stdout.buffer.write(msgspec.json.encode(steps.report) + b"\n")
        sys.stdout.buffer.flush()
        gc.collect()


if __name__ == "__main__":
    sys.meta_path.insert(0, _WithoutPandas())
    pa.set_memory_pool(pa.system_memory_pool())  # what one batch gives back the next one takes
    gc.disable()  # rows are dropped a batch at a time and make no cycles; looking for some took a fifth of the time
    gc.freeze()
    main(*sys.argv[1:])
