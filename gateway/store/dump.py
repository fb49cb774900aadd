"""Every table as rows of JSON, and back, on either database: what `lockgate backup` and `restore` are made of."""

import base64
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Column, LargeBinary, Select, Table, func, insert, select

from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.schema import Table as Schema
from gateway.store.schema.columns import Uuid

BATCH_ROWS = 500


def tables() -> list[Table]:
    """Every table, those that others refer to first."""
    return list(Schema.metadata.sorted_tables)


async def dump_rows(r: ReadSession, table: Table) -> AsyncIterator[bytes]:
    """Each row as a line of JSON: its values in the order of the columns, bytes as base64."""
    async for row in await r.stream(_ordered(table).execution_options(yield_per=BATCH_ROWS)):
        yield msgspec.json.encode(list(row)) + b"\n"


async def load_rows(w: WriteSession, table: Table, lines: Iterable[bytes]) -> int:
    """Insert rows that were dumped; returns how many."""
    rows = [_row(table, line) for line in lines]
    for start in range(0, len(rows), BATCH_ROWS):
        await w.execute(insert(table), rows[start : start + BATCH_ROWS])
    return len(rows)


async def count_rows(r: ReadSession, table: Table) -> int:
    """How many rows a table has."""
    return (await r.execute(select(func.count()).select_from(table))).scalar_one()


async def empty_tenants(w: WriteSession) -> None:
    """Remove the tenant that a fresh ledger begins with."""
    await w.execute(Schema.metadata.tables["tenant"].delete())


def in_batches(table: Table, lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The lines in an order in which each row comes after those it refers to; a table that refers to itself whole."""
    if own := _own_reference(table):
        yield _parents_first(table, own, list(lines))
        return
    batch: list[bytes] = []
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    yield batch


def _ordered(table: Table) -> Select[Any]:
    return select(*table.columns).order_by(*table.primary_key.columns)


def _row(table: Table, line: bytes) -> dict[str, Any]:
    values = msgspec.json.decode(line)
    return {column.name: _value(column, value) for column, value in zip(table.columns, values, strict=True)}


def _value(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, Uuid):
        return UUID(value)
    return base64.b64decode(value) if isinstance(column.type, LargeBinary) else value


def _own_reference(table: Table) -> tuple[int, int] | None:
    """The positions of a column and of the column of the same table that it refers to."""
    names = [column.name for column in table.columns]
    for key in table.foreign_keys:
        if key.column.table is table:
            return names.index(key.parent.name), names.index(key.column.name)
    return None


def _parents_first(table: Table, own: tuple[int, int], lines: list[bytes]) -> list[bytes]:
    child, parent = own
    waiting = [(msgspec.json.decode(line), line) for line in lines]
    ordered: list[bytes] = []
    known: set[Any] = {None}
    while waiting:
        ready = [(row, line) for row, line in waiting if row[child] in known]
        if not ready:
            raise ValueError(f"rows of {table.name} refer to rows that are not there")
        waiting = [(row, line) for row, line in waiting if row[child] not in known]
        ordered += [line for _, line in ready]
        known |= {row[parent] for row, _ in ready}
    return ordered
