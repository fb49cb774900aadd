"""The SQL of what serves: the one pointer row of a model, and the history beside it."""

from uuid import UUID

import msgspec
from sqlalchemy import insert, select, update

from gateway.errors import Conflict
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.schema.serves import ReleaseMarkRow, ServingAction, ServingHistoryRow, ServingRow


class ServingChanged(Conflict):
    """What serves has changed meanwhile; look again before you decide."""

    code = "serving-changed"


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """What serves a model now."""

    model_id: UUID
    champion_id: UUID
    previous_id: UUID | None
    revision: int


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Where the pointer goes, who decided that and on what grounds."""

    champion_id: UUID
    previous_id: UUID | None
    action: ServingAction
    by: str
    why: str
    at_us: int
    gate: str | None = None
    """The gate's report as JSON; none where no gate was asked."""
    forced: bool = False
    second_person: str | None = None


async def pointer_of(r: ReadSession, model_id: UUID) -> Pointer | None:
    """What serves a model."""
    row = (await r.execute(select(ServingRow).where(ServingRow.model_id == model_id))).scalar_one_or_none()
    if row is None:
        return None
    return Pointer(model_id=model_id, champion_id=row.champion_id, previous_id=row.previous_id, revision=row.revision)


async def move_pointer(w: WriteSession, before: Pointer, move: Move) -> int:
    """Move the pointer and write its history; the new revision. Raises: ServingChanged."""
    revision = before.revision + 1
    moved = await w.execute(
        update(ServingRow)
        .where(ServingRow.model_id == before.model_id, ServingRow.revision == before.revision)
        .values(champion_id=move.champion_id, previous_id=move.previous_id, revision=revision)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise ServingChanged
    await w.execute(
        insert(ServingHistoryRow).values(
            model_id=before.model_id,
            revision=revision,
            champion_id=move.champion_id,
            from_us=move.at_us,
            action=move.action,
            by=move.by,
            why=move.why,
            gate=move.gate,
            forced=move.forced,
            second_person=move.second_person,
        )
    )
    return revision


async def good_champions(r: ReadSession, model_id: UUID) -> list[UUID]:
    """The releases that have served a model and were not withdrawn, the one that served last first."""
    withdrawn = select(ReleaseMarkRow.release_id).where(ReleaseMarkRow.mark == "withdrawn")
    statement = (
        select(ServingHistoryRow.champion_id)
        .where(ServingHistoryRow.model_id == model_id, ServingHistoryRow.champion_id.not_in(withdrawn))
        .order_by(ServingHistoryRow.revision.desc())
    )
    return list(dict.fromkeys((await r.execute(statement)).scalars()))


async def history_rows(r: ReadSession, model_id: UUID) -> list[ServingHistoryRow]:
    """What served a model from when on, the latest first."""
    statement = select(ServingHistoryRow).where(ServingHistoryRow.model_id == model_id)
    return list((await r.execute(statement.order_by(ServingHistoryRow.revision.desc()))).scalars())
