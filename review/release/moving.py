"""Moves the one pointer row of a model: with its history, its event and the plan's revision in one transaction."""

from typing import Any
from uuid import UUID

import msgspec

from gateway.errors import UnknownModel
from gateway.store.events import append_event
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.models import known_model
from gateway.store.plans import bump_plan, plan_revision
from gateway.store.schema.serves import ModelRow, ReleaseRow, ServingAction
from review.errors import ReasonMissing
from review.release.difference import Difference, difference
from review.store.guards import begin_watch, end_watch
from review.store.pointer import Move, Pointer, ServingChanged, move_pointer, pointer_of
from review.store.releases import documents_of, release_by_id
from review.store.trials import end_trial, open_trial_of

EVENTS: dict[ServingAction, str] = {"promoted": "release.promoted", "rolled_back": "release.rolled_back"}


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a promotion or a rollback would change."""

    model: str
    release: str
    """The release that would serve."""
    number: int
    version: int
    before: str
    """The release that serves now."""
    revision: int
    """The revision of what serves now; a move that names it is refused when somebody else was faster."""
    difference: Difference
    withdraws: str | None = None
    """The release that a rollback marks as withdrawn."""
    ends_trial: str | None = None
    """The release whose trial ends, because it is compared with what serves now."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A model after its pointer has moved."""

    model: str
    release: str
    before: str
    revision: int
    by: str
    why: str
    forced: bool
    second_person: str | None
    withdrawn: str | None
    plan_revision: int
    """A gateway whose plan has this revision, or a later one, follows it."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A model with what serves it now."""

    model: ModelRow
    pointer: Pointer
    champion: ReleaseRow

    @property
    def champion_name(self) -> str:
        """Such as `sentiment@7`."""
        return f"{self.model.name}@{self.champion.number}"


async def standing_of(r: ReadSession, model: ModelRow, expected_revision: int | None = None) -> Standing:
    """What serves a model. Raises: UnknownModel, ServingChanged (not at the revision that was expected)."""
    pointer = await pointer_of(r, model.id)
    if pointer is None:
        raise UnknownModel(model=model.name)
    if expected_revision not in (None, pointer.revision):
        raise ServingChanged
    return Standing(model=model, pointer=pointer, champion=await release_by_id(r, pointer.champion_id))


async def read_standing(r: ReadSession, tenant_id: UUID, name: str) -> Standing:
    """What serves the model with this name. Raises: UnknownModel."""
    return await standing_of(r, await known_model(r, tenant_id, name))


async def preview_of(r: ReadSession, now: Standing, to: ReleaseRow, *, withdraws: str | None = None) -> Preview:
    """What would change if this release served."""
    before, after = await documents_of(r, now.model, now.champion), await documents_of(r, now.model, to)
    trial = await open_trial_of(r, now.model.id)
    return Preview(
        model=now.model.name,
        release=after.release.name,
        number=to.number,
        version=after.release.version,
        before=now.champion_name,
        revision=now.pointer.revision,
        difference=difference(before, after),
        withdraws=withdraws,
        ends_trial=f"{now.model.name}@{trial[1]}" if trial is not None else None,
    )


async def move(w: WriteSession, now: Standing, to: ReleaseRow, to_be: Move, *, withdrawn: str | None = None) -> Moved:
    """Make a release serve: trial and watch end with the champion that they are about, and a promotion is watched.

    Raises: ServingChanged.
    """
    model, name = now.model, f"{now.model.name}@{to.number}"
    revision = await move_pointer(w, now.pointer, to_be)
    why = f"{name} serves in the place of {now.champion_name}."
    await end_trial(w, model, by=to_be.by, why=why)
    await end_watch(w, model, by=to_be.by, why=why)
    await begin_watch(w, model, by=to_be.by)
    data: dict[str, Any] = {
        "release": name,
        "before": now.champion_name,
        "revision": revision,
        "why": to_be.why,
        "forced": to_be.forced,
        "second_person": to_be.second_person,
        "withdrawn": withdrawn,
    }
    subject = f"model:{model.name}"
    await append_event(
        w, EVENTS[to_be.action], subject, data, by=to_be.by, tenant_id=model.tenant_id, at_us=to_be.at_us
    )
    await bump_plan(w, model.tenant_id)
    return Moved(
        model=model.name,
        release=name,
        before=now.champion_name,
        revision=revision,
        by=to_be.by,
        why=to_be.why,
        forced=to_be.forced,
        second_person=to_be.second_person,
        withdrawn=withdrawn,
        plan_revision=await plan_revision(w),
    )


def require_why(why: str) -> None:
    """Return if a reason is given. Raises: ReasonMissing."""
    if not why.strip():
        raise ReasonMissing
