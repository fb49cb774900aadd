"""How every model stands now: what serves since when and by whom, what could serve next, what waits, what is wrong."""

from collections.abc import Mapping
from itertools import takewhile
from uuid import UUID

import msgspec

from gateway.store.events import latest_event, latest_event_under
from gateway.store.ledger import ReadSession
from gateway.store.models import find_model
from gateway.store.schema.serves import ServingHistoryRow
from review.operations.troubles import Standing, Trouble, troubles_of
from review.release.looking import ReleaseLine, release_lines
from review.release.second import REQUESTED, Request
from review.rollouts.standing import RolloutShown, shown
from review.served import Served, list_served
from review.store.pointer import history_rows
from review.store.rollouts import live_rollouts_of
from review.store.waiting import Waiting, waiting_by_model
from review.timeline.reading import entry_of
from review.timeline.told import HALTS, Entry

GUARD = "guard."


class ModelNow(msgspec.Struct, frozen=True, kw_only=True):
    """A model as it stands now."""

    id: UUID
    served: Served
    since_us: int
    """From when on the champion serves."""
    by: str
    why: str
    next: ReleaseLine | None
    """What a promotion would make serve: the candidate on trial, or else the newest release that waits."""
    back: bool
    """Whether there is something to roll back to."""
    waiting: Waiting
    guard: Entry | None
    """What a guard said last since this release serves."""
    rollouts: tuple[RolloutShown, ...]
    """Those of its flags that are not over."""
    troubles: tuple[Trouble, ...]


async def models_now(r: ReadSession, tenant_id: UUID) -> list[ModelNow]:
    """How every model of a tenant stands, by name."""
    waiting = await waiting_by_model(r, tenant_id)
    return [await _model_now(r, tenant_id, served, waiting) for served in await list_served(r, tenant_id)]


async def _model_now(r: ReadSession, tenant_id: UUID, served: Served, waiting: Mapping[str, Waiting]) -> ModelNow:
    model = await find_model(r, tenant_id, served.name)
    assert model is not None
    history = await history_rows(r, model.id)
    lines = list((await release_lines(r, model)).values())
    latest = history[0]
    guard = await _guard(r, tenant_id, served.name, latest.from_us)
    waits = waiting.get(served.name, Waiting())
    rollouts = await _rollouts(r, model.id)
    standing = Standing(
        halted=HALTS[served.halt.mode] if served.halt is not None else None,
        guarded=f"{guard.said} {guard.why}".strip() if guard is not None and guard.grave else None,
        overdue=waits.overdue,
        callers=waits.callers,
        to_confirm=await _to_confirm(r, tenant_id, served, latest),
        rollouts=tuple(filter(None, map(_wanted, rollouts))),
        automated=served.automated.on,
    )
    return ModelNow(
        id=model.id,
        served=served,
        since_us=latest.from_us,
        by=latest.by,
        why=latest.why,
        next=_next(served, lines),
        back=any(line.stands in ("previous", "served") for line in lines),
        waiting=waits,
        guard=guard,
        rollouts=rollouts,
        troubles=troubles_of(standing),
    )


def _next(served: Served, lines: list[ReleaseLine]) -> ReleaseLine | None:
    on_trial = next((line for line in lines if line.release == served.candidate), None)
    newer = takewhile(lambda line: line.stands != "champion", lines)
    return on_trial or next((line for line in newer if line.stands == "waits"), None)


async def _guard(r: ReadSession, tenant_id: UUID, name: str, since_us: int) -> Entry | None:
    event = await latest_event_under(r, tenant_id, f"model:{name}", GUARD)
    return entry_of(event) if event is not None and event.occurred_us >= since_us else None


async def _rollouts(r: ReadSession, model_id: UUID) -> tuple[RolloutShown, ...]:
    now_us = await r.now_us()
    return tuple([await shown(r, rollout, now_us) for rollout in await live_rollouts_of(r, model_id)])


def _wanted(rollout: RolloutShown) -> str | None:
    """What a rollout wants somebody for."""
    if rollout.state == "paused":
        return f"The rollout of {rollout.flag} is paused."
    return f"The rollout of {rollout.flag} waits for an approval." if rollout.awaits_approval else None


async def _to_confirm(r: ReadSession, tenant_id: UUID, served: Served, latest: ServingHistoryRow) -> str | None:
    """The release whose promotion was asked for under what serves now, and not confirmed yet."""
    event = await latest_event(r, tenant_id, f"model:{served.name}", REQUESTED)
    if event is None:
        return None
    asked = msgspec.json.decode(event.data, type=Request)
    return asked.release if asked.revision == latest.revision else None
