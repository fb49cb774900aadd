"""Releases as people look at them: all of a model, one with everything in it, two side by side, and the history."""

from uuid import UUID

import msgspec

from gateway.labels import LabelSchema
from gateway.policy import Policy
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.models import known_model, releases_of
from gateway.store.schema.serves import ModelRow, ReleaseRow, ServingAction, ServingHistoryRow
from review.learning.recipe import TrainingRecord
from review.release.control import lowered_control
from review.release.difference import Difference, difference
from review.release.errors import NoSuchRelease, NothingServedThen
from review.release.moments import moment_us
from review.release.moving import read_standing
from review.store.pointer import history_rows, pointer_of
from review.store.recipes import training_of
from review.store.releases import Attached, Mark, attached_to, documents_of, find_release, marks_of, release_by_id


class ReleaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """A release as a line of the list."""

    release: str
    number: int
    version: int
    stands: str
    """`champion`, `previous`, `withdrawn`, `served` before, or `waits`: it has never served."""
    marks: tuple[Mark, ...]
    by: str
    why: str | None
    created_us: int


class ReleaseShown(msgspec.Struct, frozen=True, kw_only=True):
    """A release with everything in it, beside the champion."""

    line: ReleaseLine
    parent: str | None
    policy: Policy
    """With the overrides applied."""
    owner: str
    """Who owns the errors of the model; those of a category are owned as `labels` says."""
    labels: LabelSchema
    guideline: str
    digests: dict[str, str]
    """The SHA-256 of the model file and of each document."""
    attached: tuple[Attached, ...]
    training: TrainingRecord | None
    """How its version was trained; none where nobody recorded or declared it."""
    difference: Difference
    """What would change if it took the champion's place."""
    lowered: tuple[str, ...]
    """Why it does not only raise human control beside the champion; none when it may go live at once."""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which a release served, who decided that, and on what grounds."""

    revision: int
    release: str
    from_us: int
    until_us: int | None
    """None for the one that serves."""
    action: ServingAction
    by: str
    why: str
    gate: msgspec.Raw | None
    """The gate's report; none where no gate was asked."""
    forced: bool
    second_person: str | None


async def list_releases(ledger: Ledger, tenant_id: UUID, name: str) -> list[ReleaseLine]:
    """Every release of a model, the newest first. Raises: UnknownModel."""
    async with ledger.reading() as r:
        return list((await release_lines(r, await known_model(r, tenant_id, name))).values())


async def show_release(ledger: Ledger, tenant_id: UUID, name: str, number: int) -> ReleaseShown:
    """A release with everything in it. Raises: UnknownModel, NoSuchRelease."""
    async with ledger.reading() as r:
        now = await read_standing(r, tenant_id, name)
        row = await known_release(r, now.model, number)
        champion, shown = await documents_of(r, now.model, now.champion), await documents_of(r, now.model, row)
        plan = shown.release
        return ReleaseShown(
            line=(await release_lines(r, now.model))[row.id],
            parent=f"{name}@{(await release_by_id(r, row.parent_id)).number}" if row.parent_id else None,
            policy=plan.policy,
            owner=plan.card.about.owner,
            labels=plan.card.labels,
            guideline=plan.card.guideline,
            digests={
                **({"model file": plan.artifact} if plan.artifact else {}),
                "policy": plan.policy_sha256,
                "label schema": plan.label_schema_sha256,
                "guideline": plan.guideline_sha256,
            },
            attached=await attached_to(r, row.id),
            training=await training_of(r, row.id),
            difference=difference(champion, shown),
            lowered=lowered_control(champion.release, plan),
        )


async def differ(ledger: Ledger, tenant_id: UUID, name: str, before: int, after: int) -> Difference:
    """What differs between two releases of a model. Raises: UnknownModel, NoSuchRelease."""
    async with ledger.reading() as r:
        model = await known_model(r, tenant_id, name)
        one, other = await known_release(r, model, before), await known_release(r, model, after)
        return difference(await documents_of(r, model, one), await documents_of(r, model, other))


async def history(ledger: Ledger, tenant_id: UUID, name: str, at: str | None = None) -> list[Served]:
    """What served a model from when to when, the latest first; with `at` only what served at that moment.

    Raises: UnknownModel, MomentRefused, NothingServedThen.
    """
    async with ledger.reading() as r:
        model = await known_model(r, tenant_id, name)
        moment = moment_us(at, await r.now_us()) if at is not None else None
        served = await served_times(r, model)
    if moment is None:
        return served
    found = next((each for each in served if each.from_us <= moment), None)
    if found is None:
        raise NothingServedThen(model=name, at=at)
    return [found]


async def served_times(r: ReadSession, model: ModelRow) -> list[Served]:
    """What served a model from when to when, the latest first."""
    names = {row.id: f"{model.name}@{row.number}" for row, _ in await releases_of(r, model.id)}
    rows = await history_rows(r, model.id)
    ends = [None, *(row.from_us for row in rows)]
    return [_served(row, names, until_us) for row, until_us in zip(rows, ends, strict=False)]


def _served(row: ServingHistoryRow, names: dict[UUID, str], until_us: int | None) -> Served:
    return Served(
        revision=row.revision,
        release=names[row.champion_id],
        from_us=row.from_us,
        until_us=until_us,
        action=row.action,
        by=row.by,
        why=row.why,
        gate=msgspec.Raw(row.gate.encode()) if row.gate is not None else None,
        forced=row.forced,
        second_person=row.second_person,
    )


async def known_release(r: ReadSession, model: ModelRow, number: int) -> ReleaseRow:
    """The release of a model with this number. Raises: NoSuchRelease."""
    row = await find_release(r, model.id, number)
    if row is None:
        raise NoSuchRelease(model=model.name, release=number)
    return row


async def release_lines(r: ReadSession, model: ModelRow) -> dict[UUID, ReleaseLine]:
    """Every release of a model as a line, the newest first."""
    pointer, marks = await pointer_of(r, model.id), await marks_of(r, model.id)
    stands = {row.champion_id: "served" for row in await history_rows(r, model.id)}
    stands |= {each: "withdrawn" for each, given in marks.items() if any(one.mark == "withdrawn" for one in given)}
    if pointer is not None:
        stands |= {pointer.previous_id: "previous"} if pointer.previous_id is not None else {}
        stands[pointer.champion_id] = "champion"
    return {
        row.id: ReleaseLine(
            release=f"{model.name}@{row.number}",
            number=row.number,
            version=version,
            stands=stands.get(row.id, "waits"),
            marks=marks.get(row.id, ()),
            by=row.by,
            why=row.why,
            created_us=row.created_us,
        )
        for row, version in await releases_of(r, model.id)
    }
