"""The SQL of the guard's watches: which promotions are watched, and how each watch stands, with its events."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, delete, insert, select, update

from gateway.store.events import append_event
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.looks import THERE, Look
from gateway.store.schema.serves import (
    GuardAct,
    GuardRow,
    GuardWatchRow,
    ModelRow,
    ReleaseRow,
    ServingHistoryRow,
    ServingRow,
    WatchState,
)
from gateway.times import after_us
from review.release.guarding import Declaration, Figure
from review.store.declared import GUARD


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """How the guard's watch on a promotion stands."""

    tenant_id: UUID
    model_id: UUID
    model: str
    revision: int
    """Of what serves: which promotion is watched."""
    release_id: UUID
    release: str
    guard_revision: int
    declaration: Declaration
    """By which it is judged."""
    state: WatchState
    act: GuardAct | None
    figures: tuple[Figure, ...]
    told: str | None
    from_us: int
    until_us: int
    looked_us: int | None
    changed_us: int


async def begin_watch(w: WriteSession, model: ModelRow, *, by: str) -> None:
    """Watch the promotion by which the model's champion came to serve, for what is left of its bake time.

    Nothing happens where nothing is declared, the champion came in another way, its bake time is over, or a verdict on
    it was found already; a watch that runs goes on by the latest declaration.
    """
    declared, promoted = await GUARD.latest(w, model.id), await _promotion_of(w, model.id)
    if declared is None or declared.declaration is None or promoted is None:
        return
    now, until_us = await w.now_us(), after_us(promoted.from_us, declared.declaration.bake_s)
    judged_by: dict[str, Any] = {"guard_revision": declared.revision, "until_us": until_us}
    this = (GuardWatchRow.model_id == model.id, GuardWatchRow.revision == promoted.revision)
    found = (await w.execute(select(GuardWatchRow.state).where(*this))).scalar_one_or_none()
    if found == "watching":
        await w.execute(update(GuardWatchRow).where(*this).values(**judged_by, looked_us=None))
    elif found not in ("passed", "breached") and now < until_us:
        await w.execute(delete(GuardWatchRow).where(*this))  # one that was ended, for the guard was cleared
        key = {"model_id": model.id, "revision": promoted.revision, "release_id": promoted.champion_id}
        row = key | judged_by | {"state": "watching", "figures": "[]", "from_us": promoted.from_us, "changed_us": now}
        await w.execute(insert(GuardWatchRow).values(**row))
        release = await _release_name(w, model, promoted.champion_id)
        data = {"release": release, "revision": promoted.revision, "until_us": until_us}
        await _tell(w, model, "guard.watching", data, by, now)


async def end_watch(w: WriteSession, model: ModelRow, *, by: str, why: str) -> None:
    """End the watch that runs on a model, if one does, without a verdict."""
    watch = await open_watch_of(w, model.id)
    if watch is not None:
        await conclude(w, model, watch, "ended", figures=watch.figures, told=why, by=by)


async def conclude(
    w: WriteSession,
    model: ModelRow,
    watch: Watch,
    state: WatchState,
    *,
    figures: tuple[Figure, ...],
    told: str,
    by: str,
    act: GuardAct | None = None,
) -> bool:
    """End a watch on a locked model; False where it is over, or judged by another declaration, meanwhile."""
    now = await w.now_us()
    same = (
        GuardWatchRow.model_id == watch.model_id,
        GuardWatchRow.revision == watch.revision,
        GuardWatchRow.guard_revision == watch.guard_revision,
        GuardWatchRow.state == "watching",
    )
    values = {"state": state, "act": act, "figures": _json(figures), "told": told, "changed_us": now}
    ended = await w.execute(update(GuardWatchRow).where(*same).values(**values))
    if ended.rowcount != 1:  # type: ignore[attr-defined]
        return False
    data = {"release": watch.release, "revision": watch.revision, "why": told, "act": act}
    await _tell(w, model, f"guard.{state}", data | {"figures": msgspec.to_builtins(figures)}, by, now)
    return True


async def note_figures(w: WriteSession, watch: Watch, figures: tuple[Figure, ...], looked_us: int) -> None:
    """Keep what a look at a running watch has found."""
    this = (GuardWatchRow.model_id == watch.model_id, GuardWatchRow.revision == watch.revision)
    running = update(GuardWatchRow).where(*this, GuardWatchRow.state == "watching")
    await w.execute(running.values(figures=_json(figures), looked_us=looked_us))


_RUNNING = Look(select(THERE).where(GuardWatchRow.state == "watching").limit(1))


async def any_watch(ledger: Ledger) -> bool:
    """Whether some watch runs. Raises: LedgerUnavailable."""
    return bool(await ledger.look(_RUNNING))


async def open_watches(r: ReadSession) -> list[Watch]:
    """Every watch that runs."""
    rows = await r.execute(_WATCHES.where(GuardWatchRow.state == "watching").order_by(GuardWatchRow.from_us))
    return [_watch(row) for row in rows]


async def open_watch_of(r: ReadSession, model_id: UUID) -> Watch | None:
    """The watch that runs on a model."""
    of_model = (GuardWatchRow.model_id == model_id, GuardWatchRow.state == "watching")
    row = (await r.execute(_WATCHES.where(*of_model))).one_or_none()
    return _watch(row) if row is not None else None


async def latest_watch(r: ReadSession, model_id: UUID) -> Watch | None:
    """The watch on the model's latest promotion that was watched."""
    of_model = _WATCHES.where(GuardWatchRow.model_id == model_id)
    row = (await r.execute(of_model.order_by(GuardWatchRow.revision.desc()).limit(1))).one_or_none()
    return _watch(row) if row is not None else None


_WATCHES = (
    select(GuardWatchRow, ModelRow.tenant_id, ModelRow.name, ReleaseRow.number, GuardRow.body)
    .join(ModelRow, ModelRow.id == GuardWatchRow.model_id)
    .join(ReleaseRow, ReleaseRow.id == GuardWatchRow.release_id)
    .join(
        GuardRow,
        (GuardRow.model_id == GuardWatchRow.model_id) & (GuardRow.revision == GuardWatchRow.guard_revision),
    )
)


def _watch(found: Row[GuardWatchRow, UUID, str, int, str | None]) -> Watch:
    row, tenant_id, model, number, declaration = found
    assert declaration is not None, "a watch is judged by what was declared, and ends when that is cleared"
    return Watch(
        tenant_id=tenant_id,
        model_id=row.model_id,
        model=model,
        revision=row.revision,
        release_id=row.release_id,
        release=f"{model}@{number}",
        guard_revision=row.guard_revision,
        declaration=msgspec.json.decode(declaration, type=Declaration),
        state=row.state,
        act=row.act,
        figures=msgspec.json.decode(row.figures, type=tuple[Figure, ...]),
        told=row.told,
        from_us=row.from_us,
        until_us=row.until_us,
        looked_us=row.looked_us,
        changed_us=row.changed_us,
    )


async def _promotion_of(r: ReadSession, model_id: UUID) -> ServingHistoryRow | None:
    """The move by which the champion came to serve, where that was a promotion."""
    statement = (
        select(ServingHistoryRow)
        .join(ServingRow, ServingRow.model_id == ServingHistoryRow.model_id)
        .where(ServingHistoryRow.model_id == model_id, ServingHistoryRow.revision == ServingRow.revision)
        .where(ServingHistoryRow.action == "promoted")
    )
    return (await r.execute(statement)).scalar_one_or_none()


async def _release_name(r: ReadSession, model: ModelRow, release_id: UUID) -> str:
    number = (await r.execute(select(ReleaseRow.number).where(ReleaseRow.id == release_id))).scalar_one()
    return f"{model.name}@{number}"


def _json(figures: tuple[Figure, ...]) -> str:
    return msgspec.json.encode(figures).decode()


async def _tell(w: WriteSession, model: ModelRow, type_: str, data: dict[str, Any], by: str, at_us: int) -> None:
    await append_event(w, type_, f"model:{model.name}", data, by=by, tenant_id=model.tenant_id, at_us=at_us)
