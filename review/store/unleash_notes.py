"""The SQL of notes: that a switch in Unleash was asked for here, by whom and why; kept as events."""

from collections.abc import Collection
from uuid import UUID

import msgspec
from sqlalchemy import select

from gateway.store.events import append_event
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.schema.plumbing import EventRow
from gateway.store.schema.serves import ModelRow
from review.unleash.log import Note

ASKED, FAILED = "unleash.switch_asked", "unleash.switch_failed"


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    to: bool
    after: int
    why: str
    simulation: str | None = None


class _Failed(msgspec.Struct, frozen=True, kw_only=True):
    after: int


async def note_asked(w: WriteSession, tenant_id: UUID, note: Note) -> None:
    """Note that a switch is asked for, before it is."""
    data = {"flag": note.flag, "to": note.to, "after": note.after, "why": note.why, "simulation": note.simulation}
    await append_event(w, ASKED, _subject(note.flag), data, by=note.by, tenant_id=tenant_id, at_us=note.at_us)


async def note_failed(w: WriteSession, tenant_id: UUID, note: Note, code: str, at_us: int) -> None:
    """Note that a switch was not made after all."""
    data = {"flag": note.flag, "to": note.to, "after": note.after, "why": code}
    await append_event(w, FAILED, _subject(note.flag), data, by=note.by, tenant_id=tenant_id, at_us=at_us)


async def notes_since(r: ReadSession, flags: Collection[str], since_us: int) -> list[Note]:
    """The switches of these flags that were asked for since then and not refused, the oldest first."""
    subjects = {_subject(flag): flag for flag in flags}
    statement = (
        select(EventRow)
        .where(EventRow.subject.in_(subjects), EventRow.occurred_us >= since_us)
        .order_by(EventRow.occurred_us, EventRow.id)
    )
    notes: list[Note] = []
    for row in (await r.execute(statement)).scalars():
        flag = subjects[row.subject]
        if row.type == ASKED:
            asked = msgspec.json.decode(row.data, type=_Asked)
            note = Note(flag=flag, to=asked.to, after=asked.after, by=row.by, why=asked.why, at_us=row.occurred_us)
            notes.append(msgspec.structs.replace(note, simulation=asked.simulation))
        else:
            failed = msgspec.json.decode(row.data, type=_Failed)
            notes = [one for one in notes if (one.flag, one.after, one.by) != (flag, failed.after, row.by)]
    return notes


async def tenants_of(r: ReadSession, models: Collection[str]) -> dict[str, list[UUID]]:
    """The tenants that have a model of each of these names."""
    statement = select(ModelRow.name, ModelRow.tenant_id).where(ModelRow.name.in_(models))
    found: dict[str, list[UUID]] = {}
    for name, tenant_id in await r.execute(statement):
        found.setdefault(name, []).append(tenant_id)
    return found


def _subject(flag: str) -> str:
    return f"unleash:{flag}"
