"""The SQL of rollouts: one that is not over a flag, each change with its event."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, func, insert, select, update

from gateway.ids import new_id
from gateway.store.events import append_event
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.looks import THERE, Look
from gateway.store.schema.predictions import PredictionRow
from gateway.store.schema.rollouts import RolloutRow, RolloutState
from gateway.store.schema.serves import ModelRow, ServingAction, ServingHistoryRow
from gateway.store.schema.work import CaseRow, VerdictRow
from review.rollouts.errors import RolloutChanged
from review.rollouts.schedule import Step

LIVE: tuple[RolloutState, ...] = ("running", "paused")


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout as it stands."""

    id: UUID
    tenant_id: UUID
    model_id: UUID
    model: str
    flag: str
    steps: tuple[Step, ...]
    step: int
    state: RolloutState
    approved_by: str | None
    as_left: str
    serving_revision: int
    requests: int
    verdicts: int
    looked_us: int | None
    since_us: int
    told: str | None
    by: str
    why: str
    version: int
    started_us: int
    changed_us: int

    @property
    def present(self) -> Step:
        """The step that was taken last."""
        return self.steps[self.step]

    @property
    def live(self) -> bool:
        """Whether it is not over."""
        return self.state in LIVE


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A step that was taken: how it left the flag, and what served then."""

    step: int
    as_left: str
    serving_revision: int
    at_us: int


async def begin_rollout(
    w: WriteSession, model: ModelRow, flag: str, steps: tuple[Step, ...], taken: Taken, *, by: str, why: str
) -> None:
    """Write a rollout whose first step was just taken, with its event."""
    row = {
        "id": new_id(),
        "model_id": model.id,
        "flag": flag,
        "steps": msgspec.json.encode(steps).decode(),
        "state": "running",
        "told": None,
        "by": by,
        "why": why,
        "version": 1,
        "started_us": taken.at_us,
        "changed_us": taken.at_us,
        **_taken(taken),
    }
    await w.execute(insert(RolloutRow).values(**row))
    data = {"flag": flag, "steps": "; ".join(step.told for step in steps), "why": why}
    await append_event(w, "rollout.started", f"flag:{flag}", data, by=by, tenant_id=model.tenant_id, at_us=taken.at_us)


async def take_step(w: WriteSession, rollout: Rollout, taken: Taken, *, by: str, why: str) -> None:
    """Note a step that was just taken; what has come since counts anew. Raises: RolloutChanged."""
    step = rollout.steps[taken.step]
    data = {"step": taken.step + 1, "of": len(rollout.steps), "percent": step.percent, "why": why}
    values = {"state": "running", "told": None, **_taken(taken)}
    await _change(w, rollout, values, "rollout.stepped", data, by=by, at_us=taken.at_us)


async def end_or_pause(
    w: WriteSession, rollout: Rollout, state: RolloutState, *, told: str, by: str, at_us: int
) -> None:
    """Let a rollout be paused, finished or aborted, and say why. Raises: RolloutChanged."""
    data = {"percent": rollout.present.percent, "step": rollout.step + 1, "of": len(rollout.steps), "why": told}
    await _change(w, rollout, {"state": state, "told": told}, f"rollout.{state}", data, by=by, at_us=at_us)


async def note_resumed(w: WriteSession, rollout: Rollout, taken: Taken, *, by: str, why: str) -> None:
    """Let a paused rollout go on from its present step, which begins anew. Raises: RolloutChanged."""
    data = {"percent": rollout.present.percent, "step": rollout.step + 1, "of": len(rollout.steps), "why": why}
    values = {"state": "running", "told": None, **_taken(taken)}
    await _change(w, rollout, values, "rollout.resumed", data, by=by, at_us=taken.at_us)


async def note_approved(w: WriteSession, rollout: Rollout, *, by: str, why: str, at_us: int) -> None:
    """Note that somebody approves of the present step. Raises: RolloutChanged."""
    data = {"percent": rollout.present.percent, "step": rollout.step + 1, "of": len(rollout.steps), "why": why}
    await _change(w, rollout, {"approved_by": by}, "rollout.approved", data, by=by, at_us=at_us)


async def note_counts(w: WriteSession, rollout: Rollout, requests: int, verdicts: int, looked_us: int) -> None:
    """Keep what has come since the step; no change of the rollout itself."""
    this = (RolloutRow.id == rollout.id, RolloutRow.version == rollout.version)
    await w.execute(update(RolloutRow).where(*this).values(requests=requests, verdicts=verdicts, looked_us=looked_us))


_RUNNING = Look(select(THERE).where(RolloutRow.state == "running").limit(1))


async def any_rollout(ledger: Ledger) -> bool:
    """Whether some rollout runs. Raises: LedgerUnavailable."""
    return bool(await ledger.look(_RUNNING))


async def running_rollouts(r: ReadSession) -> list[Rollout]:
    """Every rollout that runs, the longest first."""
    return await _read(r, RolloutRow.state == "running")


async def live_rollouts_of(r: ReadSession, model_id: UUID) -> list[Rollout]:
    """The rollouts of a model's flags that are not over."""
    return await _read(r, RolloutRow.model_id == model_id, RolloutRow.state.in_(LIVE))


async def rollouts_of_tenant(r: ReadSession, tenant_id: UUID, limit: int) -> list[Rollout]:
    """The latest rollouts, the latest first."""
    statement = _ROLLOUTS.where(ModelRow.tenant_id == tenant_id)
    latest = statement.order_by(RolloutRow.started_us.desc(), RolloutRow.id.desc()).limit(limit)
    return [_rollout(row) for row in await r.execute(latest)]


async def latest_rollout_of(r: ReadSession, tenant_id: UUID, flag: str) -> Rollout | None:
    """The latest rollout of a flag, over or not."""
    statement = _ROLLOUTS.where(ModelRow.tenant_id == tenant_id, RolloutRow.flag == flag)
    latest = statement.order_by(RolloutRow.started_us.desc(), RolloutRow.id.desc()).limit(1)
    row = (await r.execute(latest)).one_or_none()
    return _rollout(row) if row is not None else None


async def rollout_by_id(r: ReadSession, rollout_id: UUID) -> Rollout | None:
    """A rollout as it stands now."""
    found = await _read(r, RolloutRow.id == rollout_id)
    return found[0] if found else None


async def verdicts_since(r: ReadSession, model_id: UUID, since_us: int) -> int:
    """How many verdicts people gave on predictions that a model made since then."""
    statement = (
        select(func.count(VerdictRow.id))
        .join(CaseRow, CaseRow.id == VerdictRow.case_id)
        .join(PredictionRow, PredictionRow.id == CaseRow.prediction_id)
        .where(PredictionRow.model_id == model_id, PredictionRow.created_us >= since_us)
    )
    return int((await r.execute(statement)).scalar_one())


async def moved_since(r: ReadSession, model_id: UUID, revision: int) -> ServingAction | None:
    """How another release came to serve since this revision; a rollback outweighs all else."""
    later = (ServingHistoryRow.model_id == model_id, ServingHistoryRow.revision > revision)
    actions = set((await r.execute(select(ServingHistoryRow.action).where(*later))).scalars())
    if "rolled_back" in actions:
        return "rolled_back"
    return "promoted" if actions else None


_ROLLOUTS = select(RolloutRow, ModelRow.tenant_id, ModelRow.name).join(ModelRow, ModelRow.id == RolloutRow.model_id)


async def _read(r: ReadSession, *conditions: Any) -> list[Rollout]:
    rows = await r.execute(_ROLLOUTS.where(*conditions).order_by(RolloutRow.started_us, RolloutRow.id))
    return [_rollout(row) for row in rows]


def _rollout(found: Row[RolloutRow, UUID, str]) -> Rollout:
    row, tenant_id, model = found
    names = set(Rollout.__struct_fields__) - {"tenant_id", "model", "steps"}
    steps = msgspec.json.decode(row.steps, type=tuple[Step, ...])
    return Rollout(tenant_id=tenant_id, model=model, steps=steps, **{name: getattr(row, name) for name in names})


def _taken(taken: Taken) -> dict[str, Any]:
    return {
        "step": taken.step,
        "as_left": taken.as_left,
        "serving_revision": taken.serving_revision,
        "since_us": taken.at_us,
        "approved_by": None,
        "requests": 0,
        "verdicts": 0,
        "looked_us": None,
    }


async def _change(
    w: WriteSession, rollout: Rollout, values: dict[str, Any], type_: str, data: dict[str, Any], *, by: str, at_us: int
) -> None:
    this = (RolloutRow.id == rollout.id, RolloutRow.version == rollout.version)
    changed = await w.execute(
        update(RolloutRow).where(*this).values(**values, version=rollout.version + 1, changed_us=at_us)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise RolloutChanged
    subject = f"flag:{rollout.flag}"
    told = {"flag": rollout.flag, **data}
    await append_event(w, type_, subject, told, by=by, tenant_id=rollout.tenant_id, at_us=at_us)
