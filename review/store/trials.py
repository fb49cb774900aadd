"""The SQL of trials: one open a model, each change with its event and the plan's revision."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from gateway.ids import new_id
from gateway.store.events import append_event
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.plans import bump_plan
from gateway.store.schema.serves import ModelRow, ReleaseRow, TrialRow


async def open_trial_of(r: ReadSession, model_id: UUID) -> tuple[TrialRow, int] | None:
    """The open trial of a model with the number of its release."""
    statement = (
        select(TrialRow, ReleaseRow.number)
        .join(ReleaseRow, ReleaseRow.id == TrialRow.release_id)
        .where(TrialRow.model_id == model_id, TrialRow.closed_us.is_(None))
    )
    found = (await r.execute(statement)).one_or_none()
    return (found[0], found[1]) if found is not None else None


async def begin_trial(
    w: WriteSession, model: ModelRow, release: ReleaseRow, probability: float, *, by: str, why: str
) -> None:
    """Open a trial of a release; its canary stays closed."""
    now = await w.now_us()
    w.add(
        TrialRow(
            id=new_id(),
            model_id=model.id,
            release_id=release.id,
            canary_open=False,
            disagreement_probability=probability,
            opened_by=by,
            opened_us=now,
            closed_us=None,
        )
    )
    await w.flush()
    data = {"release": f"{model.name}@{release.number}", "disagreement_probability": probability, "why": why}
    await _tell(w, model, "trial.opened", data, by, now)


async def open_canary(w: WriteSession, model: ModelRow, trial: TrialRow, number: int, *, by: str, why: str) -> None:
    """Let the candidate answer where its flag is on."""
    await w.execute(update(TrialRow).where(TrialRow.id == trial.id).values(canary_open=True))
    data = {"release": f"{model.name}@{number}", "why": why}
    await _tell(w, model, "trial.canary_opened", data, by, await w.now_us())


async def end_trial(w: WriteSession, model: ModelRow, *, by: str, why: str) -> str | None:
    """Close the open trial; the release that was on it, or None when there was no trial."""
    found = await open_trial_of(w, model.id)
    if found is None:
        return None
    trial, number = found
    now = await w.now_us()
    await w.execute(update(TrialRow).where(TrialRow.id == trial.id).values(closed_us=now))
    release = f"{model.name}@{number}"
    await _tell(w, model, "trial.closed", {"release": release, "trial": str(trial.id), "why": why}, by, now)
    return release


async def _tell(w: WriteSession, model: ModelRow, type_: str, data: dict[str, Any], by: str, at_us: int) -> None:
    await append_event(w, type_, f"model:{model.name}", data, by=by, tenant_id=model.tenant_id, at_us=at_us)
    await bump_plan(w, model.tenant_id)
