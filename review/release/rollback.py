"""Rolls a model back: to the latest champion that was not withdrawn, with its policy, schema, guideline and overrides.

It asks no gate and touches nothing but the ledger, so that it works while everything else is away: no flag source, no
model file, no other machine. The release that is rolled back from is marked withdrawn.
"""

from uuid import UUID

import msgspec

from gateway.errors import UnknownModel
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.models import lock_model
from gateway.store.schema.serves import ModelRow, ReleaseRow
from review.actors import Actor
from review.operators import operated_model
from review.release.errors import CannotRollBackTo, NoSuchRelease, NothingToRollBackTo
from review.release.moving import Moved, Preview, Standing, move, preview_of, read_standing, require_why, standing_of
from review.store.pointer import Move, good_champions
from review.store.releases import find_release, is_withdrawn, release_by_id, withdraw


class Rollback(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: why, and where to if not to the latest good champion."""

    why: str
    to: int | None = None
    """The number of a release that has served."""
    expected_revision: int | None = None
    """Refused when something else serves by now than at this revision."""


async def preview_rollback(ledger: Ledger, tenant_id: UUID, name: str, to: int | None = None) -> Preview:
    """What a rollback would change. Raises: UnknownModel, NoSuchRelease, NothingToRollBackTo, CannotRollBackTo."""
    async with ledger.reading() as r:
        now = await read_standing(r, tenant_id, name)
        target, _ = await _target(r, now, to)
        return await preview_of(r, now, target, withdraws=now.champion_name)


async def roll_back(ledger: Ledger, actor: Actor, name: str, asked: Rollback) -> Moved:
    """Roll a model back for an operator.

    Raises: ReasonMissing, UnknownModel, NotAllowed, NoSuchRelease, NothingToRollBackTo, CannotRollBackTo,
    ServingChanged.
    """
    require_why(asked.why)
    async with ledger.writing() as w:
        return await roll_back_model(w, await operated_model(w, actor, name), asked, by=actor.by)


async def roll_back_apart(ledger: Ledger, tenant_id: UUID, name: str, asked: Rollback, *, by: str) -> Moved:
    """Roll a model back for somebody at the ledger's own machine. Raises: as `roll_back`, except NotAllowed."""
    require_why(asked.why)
    async with ledger.writing() as w:
        model = await lock_model(w, tenant_id, name)
        if model is None:
            raise UnknownModel(model=name[:80])
        return await roll_back_model(w, model, asked, by=by)


async def roll_back_model(w: WriteSession, model: ModelRow, asked: Rollback, *, by: str) -> Moved:
    """Roll back a model that is locked for the transaction. Raises: as `roll_back`, except NotAllowed."""
    now = await standing_of(w, model, asked.expected_revision)
    target, previous_id = await _target(w, now, asked.to)
    at_us = await w.now_us()
    await withdraw(w, now.champion.id, by=by, why=asked.why, at_us=at_us)
    to_be = Move(
        champion_id=target.id, previous_id=previous_id, action="rolled_back", by=by, why=asked.why, at_us=at_us
    )
    return await move(w, now, target, to_be, withdrawn=now.champion_name)


async def _target(r: ReadSession, now: Standing, to: int | None) -> tuple[ReleaseRow, UUID | None]:
    """The release to roll back to, and the one that would be next after it."""
    good = [each for each in await good_champions(r, now.model.id) if each != now.champion.id]
    if to is not None:
        target = await _named(r, now, to, good)
    elif good:
        target = await release_by_id(r, good[0])
    else:
        raise NothingToRollBackTo(model=now.model.name)
    return target, next((each for each in good if each != target.id), None)


async def _named(r: ReadSession, now: Standing, number: int, good: list[UUID]) -> ReleaseRow:
    name = now.model.name
    target = await find_release(r, now.model.id, number)
    if target is None:
        raise NoSuchRelease(model=name, release=number)
    if target.id in good:
        return target
    if target.id == now.champion.id:
        fault = "serves now"
    else:
        fault = "was withdrawn" if await is_withdrawn(r, target.id) else "has never served"
    others = [f"{name}@{(await release_by_id(r, each)).number}" for each in good]
    known = f"these can: {', '.join(others)}" if others else "no other one can"
    raise CannotRollBackTo(release=f"{name}@{number}", fault=fault, model=name, good=known)
