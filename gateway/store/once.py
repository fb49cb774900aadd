"""Insert a row unless its key is there already, on both databases, without failing the transaction."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.ledger import WriteSession
from gateway.store.schema.columns import Table


async def insert_once(w: WriteSession, table: type[Table], **values: Any) -> bool:
    """True if the row was inserted, False if a row with one of its unique keys was there."""
    insert = postgresql.insert if w.locks_rows else sqlite.insert
    result = await w.execute(insert(table).values(**values).on_conflict_do_nothing())
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]
