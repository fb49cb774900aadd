"""A trial in a real ledger: a candidate beside the world's champion, opened and closed as rows."""

from uuid import UUID

import msgspec
from sqlalchemy import insert, select, update

from gateway.ids import new_id
from gateway.store.ledger import WriteSession
from gateway.store.plans import bump_plan
from gateway.store.schema.serves import ModelRow, ReleaseRow, ServingRow, TrialRow


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of a trial."""

    id: UUID
    model_id: UUID
    candidate_id: UUID


async def add_candidate(w: WriteSession, model_id: UUID) -> UUID:
    """A release like the champion, with the next number."""
    champion = select(ReleaseRow).join(ServingRow, ServingRow.champion_id == ReleaseRow.id)
    row = (await w.execute(champion.where(ReleaseRow.model_id == model_id))).scalar_one()
    values = {column.name: getattr(row, column.name) for column in ReleaseRow.__table__.columns}
    numbers = select(ReleaseRow.number).where(ReleaseRow.model_id == model_id)
    number = max((await w.execute(numbers)).scalars()) + 1
    release_id = new_id()
    await w.execute(insert(ReleaseRow).values(**(values | {"id": release_id, "number": number})))
    return release_id


async def open_trial(
    w: WriteSession, model_id: UUID, candidate_id: UUID, probability: float = 1.0, *, canary_open: bool = False
) -> Trial:
    """An open trial of this candidate."""
    trial = Trial(id=new_id(), model_id=model_id, candidate_id=candidate_id)
    await w.execute(insert(TrialRow).values(
        id=trial.id, model_id=model_id, release_id=candidate_id, canary_open=canary_open,
        disagreement_probability=probability, opened_by="person:lena@example.org", opened_us=await w.now_us(),
        closed_us=None))  # fmt: skip
    await _tell(w, model_id)
    return trial


async def close_trial(w: WriteSession, trial: Trial) -> None:
    """The trial ends."""
    await w.execute(update(TrialRow).where(TrialRow.id == trial.id).values(closed_us=await w.now_us()))
    await _tell(w, trial.model_id)


async def _tell(w: WriteSession, model_id: UUID) -> None:
    """Every gateway follows."""
    tenant_id = (await w.execute(select(ModelRow.tenant_id).where(ModelRow.id == model_id))).scalar_one()
    await bump_plan(w, tenant_id)
