"""The SQL of halts: an operator's halt of a model outranks all flags until it is lifted."""

from uuid import UUID

from sqlalchemy import delete, insert, select

from gateway.errors import Conflict
from gateway.plan import HaltPlan
from gateway.store.events import append_event
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.plans import bump_plan
from gateway.store.schema.serves import HaltMode, HaltRow, ModelRow


class NotHalted(Conflict):
    """Model '{model}' is not halted, so there is nothing to lift."""

    code = "not-halted"


async def halt_of(r: ReadSession, model_id: UUID) -> HaltPlan | None:
    """The halt in force of a model."""
    row = (await r.execute(select(HaltRow).where(HaltRow.model_id == model_id))).scalar_one_or_none()
    return HaltPlan(mode=row.mode, by=row.by, why=row.why, since_us=row.since_us) if row else None


async def all_halts(r: ReadSession) -> dict[UUID, HaltPlan]:
    """The halts in force, by model."""
    rows = (await r.execute(select(HaltRow.model_id, HaltRow.mode, HaltRow.by, HaltRow.why, HaltRow.since_us))).all()
    return {row.model_id: HaltPlan(mode=row.mode, by=row.by, why=row.why, since_us=row.since_us) for row in rows}


async def halt(w: WriteSession, model: ModelRow, mode: HaltMode, *, by: str, why: str) -> HaltPlan:
    """Halt a model, or change the mode of its halt."""
    now = await w.now_us()
    before = await halt_of(w, model.id)
    await w.execute(delete(HaltRow).where(HaltRow.model_id == model.id))
    await w.execute(insert(HaltRow).values(model_id=model.id, mode=mode, by=by, why=why, since_us=now))
    data = {"mode": mode, "before": before.mode if before else None, "why": why}
    await _tell(w, model, "model.halted", data, by, now)
    return HaltPlan(mode=mode, by=by, why=why, since_us=now)


async def lift(w: WriteSession, model: ModelRow, *, by: str, why: str) -> None:
    """Lift a model's halt. Raises: NotHalted."""
    before = await halt_of(w, model.id)
    if before is None:
        raise NotHalted(model=model.name)
    await w.execute(delete(HaltRow).where(HaltRow.model_id == model.id))
    await _tell(w, model, "model.resumed", {"mode": None, "before": before.mode, "why": why}, by, await w.now_us())


async def _tell(w: WriteSession, model: ModelRow, type_: str, data: dict[str, str | None], by: str, at_us: int) -> None:
    await append_event(w, type_, f"model:{model.name}", data, by=by, tenant_id=model.tenant_id, at_us=at_us)
    await bump_plan(w, model.tenant_id)
