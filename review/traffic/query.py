"""Reading the traffic log: DuckDB over sealed Parquet, together with the segments that are still open.

An entry is read exactly once: the open segments are opened first and the registry is asked afterwards, so one that
is sealed in between is either registered, and then left out here, or still readable through the file that was opened.
Everything runs in a thread, with one DuckDB thread and a declared memory limit.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal, TypeVar
from uuid import UUID

import duckdb
import pyarrow as pa
from msgspec import Struct

from gateway.ids import id_time_us
from gateway.record.codec import decode
from gateway.record.entries import Decided, EntryKind, Position
from gateway.record.reader import Recorded, SegmentReader
from gateway.record.sealed import SealedSegment, SegmentRegistry
from gateway.record.segment import open_segments
from review.traffic.answered import Answered, count_answers, count_failed, time_answers
from review.traffic.batches import batches
from review.traffic.beside import TrialRuns, answering_runs, shadow_runs, trial_runs
from review.traffic.columns import SCHEMAS
from review.traffic.flagged import count_let_on

Dimension = Literal["model", "release", "path", "rule", "decided_path", "decided_rule", "public_rule"]
BY_DEFAULT: tuple[Dimension, ...] = ("model", "release", "path", "rule")
CONTEXT = "context."
"""What stands before the name of a context field to group by."""
FOREVER_US = 1 << 62
MEMORY_LIMIT_MIB = 256
_T = TypeVar("_T")


class Window(Struct, frozen=True, kw_only=True):
    """The entries of one tenant, written in [since, until), perhaps of one model."""

    tenant: UUID
    since_us: int = 0
    until_us: int = FOREVER_US
    model: str | None = None


class TrafficCount(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many predictions share these values; what was not grouped by is None."""

    predictions: int
    items: int
    held: int
    audited: int
    model: str | None = None
    release: str | None = None
    path: str | None = None
    rule: str | None = None
    decided_path: str | None = None
    decided_rule: str | None = None
    public_rule: str | None = None
    context: dict[str, str | None] = {}
    """The context fields that were grouped by; None where they were not told, or no definition read them."""


class Sample(Struct, frozen=True, kw_only=True):
    """Predictions drawn at random without replacement: each of `population` had this probability."""

    population: int
    probability: float
    entries: tuple[Decided, ...]


class TrafficReader:
    """Counts, finds and samples what one traffic directory holds."""

    def __init__(self, traffic: Path, registry: SegmentRegistry, memory_limit_mib: int = MEMORY_LIMIT_MIB) -> None:
        self.traffic = traffic
        self.registry = registry
        self.memory_limit_mib = memory_limit_mib

    async def counts(self, window: Window, by: Sequence[str] = BY_DEFAULT) -> tuple[TrafficCount, ...]:
        """The decided predictions of the window, grouped by dimensions and context fields, in the groups' order."""
        return await self._over(window.since_us, window.until_us, lambda view: _counts(view, window, by))

    async def find(self, prediction: UUID) -> tuple[Recorded, ...]:
        """Every entry about a prediction in the order of time; large ones are heads to `unfold`. Empty when unknown."""
        made_us = id_time_us(prediction)
        return await self._over(made_us, made_us + 1000, lambda view: _find(view, prediction))

    async def find_requests(self, tenant: UUID, model: str, requests: Sequence[str]) -> dict[str, set[UUID]]:
        """The predictions of a model that were asked for under these request ids, by request id."""
        return await self._over(0, FOREVER_US, lambda view: _find_requests(view, tenant, model, requests))

    async def sample(self, window: Window, size: int, seed: int) -> Sample:
        """At most `size` decided predictions of the window; the same seed over the same entries draws the same ones."""
        return await self._over(window.since_us, window.until_us, lambda view: _sample(view, window, size, seed))

    async def trial_runs(self, window: Window, trial_id: UUID) -> TrialRuns:
        """How the runs of a trial's two releases went; the window names the model."""
        span = window.since_us, window.until_us
        answering = await self._over(*span, lambda view: answering_runs(view, window))
        return trial_runs(answering, await self._over(*span, lambda view: shadow_runs(view, window, trial_id)))

    async def let_on(self, window: Window, kind: str) -> int:
        """How many requests of the window this flag of their model was on for; the window names the model."""
        return await self._over(window.since_us, window.until_us, lambda view: count_let_on(view, window, kind))

    async def answered(self, window: Window, release: str, quantile: float) -> Answered:
        """What became of the requests of a release, and how long its answers took; the window names the model."""
        span = window.since_us, window.until_us
        counted = await self._over(*span, lambda view: count_answers(view, window, release))
        failed = await self._over(*span, lambda view: count_failed(view, window, release))
        took = await self._over(*span, lambda view: time_answers(view, window, release, quantile, counted.answers))
        return Answered(counted=counted, failed=failed, took=took)

    @asynccontextmanager
    async def decisions(self, since_us: int, until_us: int) -> AsyncIterator[tuple[list[Path], list[SegmentReader]]]:
        """The Parquet files of decisions and the open segments of a window; each entry is in exactly one of them."""
        with ExitStack() as files:
            opened = await asyncio.to_thread(self._open_all, files)
            sealed = await self.registry.sealed(since_us, until_us)
            known = {segment.name for segment in sealed}
            parts = [part for segment in sealed for part in segment.parts if part.kind == "decided"]
            yield [self.traffic / part.location for part in parts], [one for one in opened if one.name not in known]

    async def _over(self, since_us: int, until_us: int, read: "Callable[[View], _T]") -> _T:
        with ExitStack() as files:
            opened = await asyncio.to_thread(self._open_all, files)
            sealed = await self.registry.sealed(since_us, until_us)
            return await asyncio.to_thread(self._read, opened, sealed, read)

    def _open_all(self, files: ExitStack) -> list[SegmentReader]:
        readers = []
        for path in open_segments(self.traffic / "open"):
            try:
                readers.append(files.enter_context(SegmentReader(path)))
            except FileNotFoundError:
                continue  # sealed since it was listed: the registry, asked next, names its parts
        return readers

    def _read(self, opened: list[SegmentReader], sealed: Sequence[SealedSegment], read: "Callable[[View], _T]") -> _T:
        known = {segment.name for segment in sealed}
        unsealed = [reader for reader in opened if reader.name not in known]
        with _connect(self.memory_limit_mib) as connection:
            return read(View(connection, self.traffic, sealed, unsealed))


class View:
    """What one reading sees: sealed parts and open segments, neither with an entry of the other."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        traffic: Path,
        sealed: Sequence[SealedSegment],
        unsealed: list[SegmentReader],
    ) -> None:
        self.connection = connection
        self.unsealed = unsealed
        self._traffic = traffic
        self._sealed = sealed

    def parts(self, kind: EntryKind) -> list[str]:
        """The Parquet files of a kind."""
        found = (part for segment in self._sealed for part in segment.parts if part.kind == kind)
        return [str(self._traffic / part.location) for part in found]

    def rows(self, kind: EntryKind) -> tuple[str, list[object]]:
        """SQL for all rows of a kind, to stand in a FROM, with its arguments. Good for one query: it streams."""
        schema = SCHEMAS[kind]
        found = (batch.rows for r in self.unsealed for batch in batches(r.name, r.frames(), (kind,)))
        self.connection.register("unsealed", pa.RecordBatchReader.from_batches(schema, found))
        files = self.parts(kind)
        if not files:
            return "unsealed", []
        return "(SELECT * FROM read_parquet(?, union_by_name=true) UNION ALL BY NAME SELECT * FROM unsealed)", [files]


def _connect(memory_limit_mib: int) -> duckdb.DuckDBPyConnection:
    """An empty database in memory that spills nowhere and fetches nothing."""
    return duckdb.connect(
        config={
            "memory_limit": f"{memory_limit_mib}MiB",
            "threads": 1,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )


def _counts(view: View, window: Window, by: Sequence[str]) -> tuple[TrafficCount, ...]:
    rows, arguments = view.rows("decided")
    where, more = _within(window)
    fields: list[object] = [name.removeprefix(CONTEXT) for name in by if name.startswith(CONTEXT)]
    figures = ["count(*)", "sum(item_count)", "sum(held_count)", "sum(audited_count)"]
    selected = ", ".join(figures + [f"{_group(name)} AS g{place}" for place, name in enumerate(by)])
    grouping = f"GROUP BY ALL ORDER BY {', '.join(f'g{place}' for place in range(len(by)))}"
    ending = grouping if by else "HAVING count(*) > 0"
    query = f"SELECT {selected} FROM {rows} WHERE {where} {ending}"  # noqa: S608 - names from a Literal, no values
    found = view.connection.execute(query, fields + arguments + more).fetchall()
    return tuple(_count(row, by) for row in found)


def _group(name: str) -> str:
    """What a group is made by; a context field's name is an argument."""
    return "map_extract_value(context, ?)" if name.startswith(CONTEXT) else name


def _count(row: tuple[int | str | None, ...], by: Sequence[str]) -> TrafficCount:
    predictions, items, held, audited = (int(figure or 0) for figure in row[:4])
    values = dict(zip(by, row[4:], strict=True))
    context = {name.removeprefix(CONTEXT): value for name, value in values.items() if name.startswith(CONTEXT)}
    named = {name: str(value) for name, value in values.items() if not name.startswith(CONTEXT)}
    return TrafficCount(
        predictions=predictions,
        items=items,
        held=held,
        audited=audited,
        context={name: None if value is None else str(value) for name, value in context.items()},
        **named,
    )


def _find(view: View, prediction: UUID) -> tuple[Recorded, ...]:
    found = [recorded for reader in view.unsealed for recorded in reader.matching(prediction.bytes)]
    files = [path for kind in SCHEMAS for path in view.parts(kind)]
    if files:
        found.extend(_find_sealed(view, files, prediction))
    about = [recorded for recorded in found if recorded.entry.prediction == prediction]
    return tuple(sorted(about, key=lambda recorded: (recorded.entry.at_us, recorded.position)))


def _find_sealed(view: View, files: list[str], prediction: UUID) -> Iterator[Recorded]:
    query = 'SELECT segment, "offset", entry FROM read_parquet(?, union_by_name=true) WHERE prediction = ?'
    for segment, offset, entry in view.connection.execute(query, [files, str(prediction)]).fetchall():
        yield Recorded(Position(segment, offset), decode(entry))


def _find_requests(view: View, tenant: UUID, model: str, requests: Sequence[str]) -> dict[str, set[UUID]]:
    rows, arguments = view.rows("decided")
    query = (
        f"SELECT DISTINCT request_id, prediction FROM {rows} "  # noqa: S608 - values are arguments
        "WHERE tenant = ? AND model = ? AND list_contains(?, request_id)"
    )
    found: dict[str, set[UUID]] = {}
    for request, prediction in view.connection.execute(
        query, [*arguments, str(tenant), model, list(requests)]
    ).fetchall():
        found.setdefault(request, set()).add(UUID(prediction))
    return found


def _sample(view: View, window: Window, size: int, seed: int) -> Sample:
    """The `size` predictions with the smallest hash of id and seed: a simple random sample, in one pass."""
    rows, arguments = view.rows("decided")
    where, more = _within(window)
    query = (
        "SELECT count(*), arg_min(entry, md5_number_lower(prediction || ?), ?) "  # noqa: S608 - values are arguments
        f"FROM {rows} WHERE {where}"
    )
    population, drawn = view.connection.execute(query, [f":{seed}", size, *arguments, *more]).fetchall()[0]
    entries = tuple(entry for data in drawn or () if isinstance(entry := decode(data), Decided))
    probability = min(1.0, size / population) if population else 1.0
    return Sample(population=population, probability=probability, entries=entries)


def _within(window: Window) -> tuple[str, list[object]]:
    """The window as a condition with its arguments."""
    where = "tenant = ? AND at_us >= ? AND at_us < ?"
    arguments: list[object] = [str(window.tenant), window.since_us, window.until_us]
    if window.model is None:
        return where, arguments
    return where + " AND model = ?", [*arguments, window.model]
