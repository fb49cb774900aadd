"""Leases and cursors: who may do a thing alone, and how far a consumer has read."""

from sqlalchemy import bindparam, insert, select, update

from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.schema.columns import Table
from gateway.store.schema.plumbing import CursorRow, LeaseRow
from gateway.times import after_us

_LEASES = Table.metadata.tables["lease"]
_RENEW = (
    update(_LEASES)
    .where(_LEASES.c.name == bindparam("mine"), _LEASES.c.owner == bindparam("held_by"))
    .values(until_us=bindparam("until"))
    .returning(_LEASES.c.token)
)
"""Built once on the plain table: a worker renews all day."""


async def take_lease(w: WriteSession, name: str, owner: str, ttl_s: float) -> int | None:
    """Take or renew a lease; returns its fencing token, or None while another owner holds it."""
    now = await w.now_us()
    mine = (
        await w.execute(_RENEW, {"mine": name, "held_by": owner, "until": after_us(now, ttl_s)})
    ).scalar_one_or_none()
    if mine is not None:
        return int(mine)
    row = await w.get(LeaseRow, name, with_for_update=w.locks_rows)
    if row is None:
        await w.execute(insert(LeaseRow).values(name=name, owner=owner, token=1, until_us=after_us(now, ttl_s)))
        return 1
    if row.until_us > now:
        return None
    row.token += 1
    row.owner, row.until_us = owner, after_us(now, ttl_s)
    return row.token


async def drop_lease(w: WriteSession, name: str, owner: str) -> None:
    """Give a lease back, so that another owner need not wait for its end."""
    await w.execute(update(LeaseRow).where(LeaseRow.name == name, LeaseRow.owner == owner).values(until_us=0))


async def read_cursor(r: ReadSession, consumer: str) -> int:
    """The position up to which a consumer has read; 0 at the start."""
    found = await r.execute(select(CursorRow.position).where(CursorRow.consumer == consumer))
    return found.scalar_one_or_none() or 0


async def move_cursor(w: WriteSession, consumer: str, position: int) -> None:
    """Note how far a consumer has read."""
    now = await w.now_us()
    moved = await w.execute(
        update(CursorRow).where(CursorRow.consumer == consumer).values(position=position, changed_us=now)
    )
    if moved.rowcount == 0:  # type: ignore[attr-defined]
        await w.execute(insert(CursorRow).values(consumer=consumer, position=position, changed_us=now))
