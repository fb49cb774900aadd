"""The SQL of idempotency keys: who may answer a request that may come twice, and what became of it."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, delete, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.ledger import WriteSession
from gateway.store.schema.predictions import IdempotencyRow, PredictionRow


class KeyName(msgspec.Struct, frozen=True, kw_only=True):
    """What tells one key from another: the same text of another caller or route is another key."""

    tenant_id: UUID
    api_key_id: UUID
    route: str
    key_digest: str


class KeyState(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says about a key."""

    fingerprint: str
    state: str
    prediction_id: UUID | None
    owner: str
    owner_until_us: int
    expires_us: int
    answer: bytes | None
    prediction_open: bool
    """Whether it has a hold that some item of which is undecided."""


async def insert_key(w: WriteSession, name: KeyName, values: dict[str, Any]) -> bool:
    """Write the row of a new key; False when there is one."""
    insert = postgresql.insert if w.locks_rows else sqlite.insert
    row = {"prediction_id": None, "state": "running", "answer": None} | values
    statement = insert(IdempotencyRow).values(**msgspec.structs.asdict(name), **row).on_conflict_do_nothing()
    return bool((await w.execute(statement)).rowcount == 1)  # type: ignore[attr-defined]


async def lock_key(w: WriteSession, name: KeyName) -> KeyState | None:
    """What is known of a key, locked where the database locks rows."""
    row = IdempotencyRow
    statement = (
        select(
            row.fingerprint,
            row.state,
            row.prediction_id,
            row.owner,
            row.owner_until_us,
            row.expires_us,
            row.answer,
            PredictionRow.open.label("prediction_open"),
        )
        .outerjoin(PredictionRow, PredictionRow.id == row.prediction_id)
        .where(_named(name))
    )
    found = (await w.execute(statement.with_for_update(of=row) if w.locks_rows else statement)).one_or_none()
    if found is None:
        return None
    return KeyState(**dict(found._mapping) | {"prediction_open": bool(found.prediction_open)})


async def change_key(w: WriteSession, name: KeyName, values: dict[str, Any], *, owner: str | None = None) -> bool:
    """Change the row, if `owner` (where given) still owns it; whether it did."""
    statement = update(IdempotencyRow).where(_named(name))
    if owner is not None:
        statement = statement.where(IdempotencyRow.owner == owner)
    return bool((await w.execute(statement.values(**values))).rowcount == 1)  # type: ignore[attr-defined]


async def drop_key(w: WriteSession, name: KeyName, owner: str) -> None:
    """Forget a key whose request came to nothing, if `owner` still owns it."""
    await w.execute(
        delete(IdempotencyRow).where(_named(name), IdempotencyRow.owner == owner, IdempotencyRow.state == "running")
    )


async def drop_expired_keys(w: WriteSession, now_us: int) -> int:
    """Forget the keys whose time is over and whose hold, if they have one, is decided; returns how many."""
    held = select(PredictionRow.id).where(PredictionRow.id == IdempotencyRow.prediction_id, text("prediction.open"))
    statement = delete(IdempotencyRow).where(IdempotencyRow.expires_us <= now_us, ~held.exists())
    return int((await w.execute(statement)).rowcount)  # type: ignore[attr-defined]


def _named(name: KeyName) -> ColumnElement[bool]:
    return and_(*(getattr(IdempotencyRow, field) == getattr(name, field) for field in name.__struct_fields__))
