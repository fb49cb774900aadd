"""The SQL of flags that were fetched from a server: every distinct state, the latest, and since when that is known."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from flags.source import UNLEASH
from flags.store import NO_FLAGS, StoredState
from gateway.store.events import append_event
from gateway.store.flags import keep_state
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.once import insert_once
from gateway.store.schema.flags import FlagCurrentRow, FlagStateRow
from gateway.store.schema.plumbing import EventRow
from gateway.store.schema.who import TenantRow

FETCHED, SUBJECT = "flags.fetched", f"flags:{UNLEASH}"
BY = "unleash"
"""Who changed what was fetched, as far as a gateway can tell."""


class FetchedFlags(msgspec.Struct, frozen=True, kw_only=True):
    """What was fetched last, when it was last known to be the latest, and why it could not be fetched since."""

    state: StoredState
    known_us: int | None
    error: str | None


async def fetched_flags(r: ReadSession) -> FetchedFlags | None:
    """The latest fetched state; None before any gateway has written. With version 0 nothing was ever fetched."""
    statement = (
        select(FlagCurrentRow, FlagStateRow.body)
        .join(FlagStateRow, FlagStateRow.sha256 == FlagCurrentRow.state)
        .where(FlagCurrentRow.source == UNLEASH)
    )
    found = (await r.execute(statement)).one_or_none()
    if found is None:
        return None
    row, body = found
    state = StoredState(version=row.version, digest=row.state, body=body.encode())
    return FetchedFlags(state=state, known_us=row.known_us, error=row.error)


async def keep_fetched(w: WriteSession, states: Iterable[StoredState], latest: StoredState, known_us: int) -> None:
    """Keep states under their digests, and put the one in force that a server confirmed at `known_us`.

    Another gateway may have heard the server later: then what it wrote stays in force.
    """
    for state in states:
        await keep_state(w, UNLEASH, state, known_us)
    row = await _current(w)
    if row.known_us is not None and row.known_us >= known_us:
        return
    await keep_state(w, UNLEASH, latest, known_us)
    before = row.state
    row.state, row.version, row.known_us, row.error = latest.digest, latest.version, known_us, None
    if before != latest.digest:
        await _tell(w, before, latest, known_us)


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One state of a server put in the place of another: their digests, and the revision and time of the later one."""

    before: str
    after: str
    revision: int
    at_us: int


async def transitions(r: ReadSession, limit: int = 500) -> list[Transition]:
    """The latest transitions from one fetched state to another, the oldest first."""
    statement = (
        select(EventRow.data, EventRow.occurred_us)
        .where(EventRow.subject == SUBJECT, EventRow.type == FETCHED)
        .order_by(EventRow.occurred_us.desc(), EventRow.id.desc())
        .limit(limit)
    )
    found = (await r.execute(statement)).all()
    return [
        Transition(**msgspec.json.decode(row.data, type=dict[str, Any]), at_us=row.occurred_us)
        for row in reversed(found)
    ]


async def first_fetched(r: ReadSession) -> Transition | None:
    """How the first state came that was ever fetched; None before that."""
    statement = (
        select(EventRow.data, EventRow.occurred_us)
        .where(EventRow.subject == SUBJECT, EventRow.type == FETCHED)
        .order_by(EventRow.occurred_us, EventRow.id)
        .limit(1)
    )
    row = (await r.execute(statement)).one_or_none()
    if row is None:
        return None
    return Transition(**msgspec.json.decode(row.data, type=dict[str, Any]), at_us=row.occurred_us)


async def note_failure(w: WriteSession, error: str) -> None:
    """Note why flags cannot be fetched; what was fetched last stays in force."""
    (await _current(w)).error = error


async def _current(w: WriteSession) -> FlagCurrentRow:
    """The source's row, locked; made with no flags where there is none yet."""
    statement = select(FlagCurrentRow).where(FlagCurrentRow.source == UNLEASH).with_for_update()
    found = (await w.execute(statement)).scalar_one_or_none()
    if found is not None:
        return found
    await keep_state(w, UNLEASH, NO_FLAGS, await w.now_us())
    await insert_once(w, FlagCurrentRow, source=UNLEASH, state=NO_FLAGS.digest, version=0)
    return (await w.execute(statement)).scalar_one()


async def _tell(w: WriteSession, before: str, after: StoredState, at_us: int) -> None:
    data = {"before": before, "after": after.digest, "revision": after.version}
    tenant_id = await _first_tenant(w)
    await append_event(w, FETCHED, SUBJECT, data, by=BY, tenant_id=tenant_id, at_us=at_us)


async def _first_tenant(w: WriteSession) -> UUID:
    """The tenant that every installation begins with: one server's flags are those of all tenants."""
    first = select(TenantRow.id).order_by(TenantRow.created_us, TenantRow.id).limit(1)
    return (await w.execute(first)).scalar_one()
