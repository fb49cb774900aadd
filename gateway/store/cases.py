"""The SQL of opening a case, and of what its caller does; reviewing it is the desk's."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, select, update

from gateway.holding.seen import WITH_PEOPLE
from gateway.ids import new_id
from gateway.labels import Answer
from gateway.plan import QueuePlan
from gateway.store.events import append_event
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.schema.work import CaseKind, CaseRow, CaseState, QueueRevisionRow

PRIORITY_WAITING = 10
PRIORITY: Mapping[CaseKind, int] = {"hold": 20, "report": 30, "disagreement": 40, "audit": 50, "drift": 60}
"""Smaller comes first; somebody who waits comes before all but what was escalated."""


class NewCase(msgspec.Struct, frozen=True, kw_only=True):
    """One item that is about to be put before people."""

    tenant_id: UUID
    prediction_id: UUID
    item: int
    kind: CaseKind
    queue_id: UUID
    queue_revision_id: UUID
    model_id: UUID
    release_id: UUID
    other_release_id: UUID | None = None
    rule: str
    evidence: Mapping[str, float | str]
    answer: Answer | None
    score: float | None
    inclusion_probability: float | None
    draw: float | None
    blind: bool
    due_us: int
    caller_waiting: bool


class OwnCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case as far as its caller can change it."""

    id: UUID
    state: CaseState
    round: int
    version: int


async def open_cases(w: WriteSession, new: Collection[NewCase], *, by: str, now_us: int) -> list[UUID]:
    """Write the cases with their events; the ids in order. An equal case is refused by the index."""
    rows = [_row(case, now_us) for case in new]
    if rows:
        await w.execute(insert(CaseRow), rows)
    for case, row in zip(new, rows, strict=True):
        data = {"from": None, "to": "open", "version": 1, "round": 1, "kind": case.kind, "item": case.item}
        data["prediction"] = str(case.prediction_id)
        await append_event(w, "case.opened", f"case:{row['id']}", data, by=by, tenant_id=case.tenant_id, at_us=now_us)
    return [row["id"] for row in rows]


def _row(case: NewCase, now_us: int) -> dict[str, Any]:
    values = msgspec.structs.asdict(case)
    values["evidence"] = msgspec.json.encode(case.evidence).decode()
    values["answer"] = None if case.answer is None else msgspec.json.encode(case.answer).decode()
    return values | {
        "id": new_id(),
        "priority": PRIORITY_WAITING if case.caller_waiting else PRIORITY[case.kind],
        "state": "open",
        "round": 1,
        "version": 1,
        "next_token": 1,
        "caller_withdrew": False,
        "closed_reason": None,
        "created_us": now_us,
        "changed_us": now_us,
    }


async def opened_items(w: WriteSession, prediction_id: UUID, kind: CaseKind) -> set[int]:
    """The items of a prediction that have a case of this kind already."""
    statement = select(CaseRow.item).where(CaseRow.prediction_id == prediction_id, CaseRow.kind == kind)
    return set((await w.execute(statement)).scalars())


async def set_waiting(w: WriteSession, ids: Collection[UUID], *, waiting: bool) -> None:
    """Show on the undecided holds of these predictions whether a caller waits, and put them in line accordingly.

    What was escalated keeps its place.
    """
    held = CaseRow.prediction_id.in_(list(ids)), CaseRow.kind == "hold", CaseRow.state.in_(WITH_PEOPLE)
    if w.locks_rows:
        await w.execute(select(CaseRow.id).where(*held).order_by(CaseRow.id).with_for_update())
    before, after = (PRIORITY["hold"], PRIORITY_WAITING) if waiting else (PRIORITY_WAITING, PRIORITY["hold"])
    change = update(CaseRow).where(*held)
    await w.execute(change.where(CaseRow.priority == before).values(priority=after))
    await w.execute(change.where(CaseRow.caller_waiting != waiting).values(caller_waiting=waiting))


async def lock_holds(w: WriteSession, prediction_id: UUID) -> list[OwnCase]:
    """The holds of a prediction, locked where the database locks rows."""
    columns = [getattr(CaseRow, name) for name in OwnCase.__struct_fields__]
    statement = select(*columns).where(CaseRow.prediction_id == prediction_id, CaseRow.kind == "hold")
    statement = statement.order_by(CaseRow.id)
    found = await w.execute(statement.with_for_update() if w.locks_rows else statement)
    return [OwnCase(**row._mapping) for row in found]


async def cancel_case(w: WriteSession, case: OwnCase, *, by: str, tenant_id: UUID, now_us: int) -> None:
    """open → closed(cancelled)."""
    changes = {"state": "closed", "closed_reason": "cancelled", "caller_waiting": False}
    await _change(w, case, changes, "case.closed", by=by, tenant_id=tenant_id, now_us=now_us)


async def withdraw_case(w: WriteSession, case: OwnCase, *, by: str, tenant_id: UUID, now_us: int) -> None:
    """claimed or partial → the same, of which the caller wants nothing any more; estimates leave it out."""
    changes = {"caller_waiting": False, "caller_withdrew": True}
    await _change(w, case, changes, "case.withdrawn", by=by, tenant_id=tenant_id, now_us=now_us)


async def _change(
    w: WriteSession, case: OwnCase, changes: dict[str, Any], event: str, *, by: str, tenant_id: UUID, now_us: int
) -> None:
    version = case.version + 1
    await w.execute(update(CaseRow).where(CaseRow.id == case.id).values(version=version, changed_us=now_us, **changes))
    data = {"from": case.state, "to": changes.get("state", case.state), "version": version, "round": case.round}
    if reason := changes.get("closed_reason"):
        data["reason"] = reason
    await append_event(w, event, f"case:{case.id}", data, by=by, tenant_id=tenant_id, at_us=now_us)


async def queue_of(r: ReadSession, prediction_id: UUID) -> QueuePlan | None:
    """The queue of the prediction's first case, at its latest revision; None where no item ever was a case."""
    statement = (
        select(QueueRevisionRow)
        .join(CaseRow, CaseRow.queue_id == QueueRevisionRow.queue_id)
        .where(CaseRow.prediction_id == prediction_id)
        .order_by(CaseRow.id, QueueRevisionRow.revision.desc())
        .limit(1)
    )
    row = (await r.execute(statement)).scalar_one_or_none()
    if row is None:
        return None
    return QueuePlan(
        id=row.queue_id,
        revision_id=row.id,
        deadline_s=row.deadline_s,
        blind_share=row.blind_share,
        capacity=row.capacity,
    )
