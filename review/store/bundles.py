"""The SQL of what a bundle holds: a release's rows as they are, its trials and what happened in them."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import select

from gateway.store.events import Event
from gateway.store.ledger import ReadSession
from gateway.store.schema.learning import DatasetRow
from gateway.store.schema.plumbing import EventRow
from gateway.store.schema.serves import (
    ArtifactRow,
    GuidelineRow,
    LabelSchemaRow,
    ModelRow,
    PolicyRow,
    ReleaseRow,
    TrialRow,
)

TRIAL_EVENTS = ("trial.opened", "trial.canary_opened", "trial.closed")


class Bodies(msgspec.Struct, frozen=True, kw_only=True):
    """The documents of a release, to the byte."""

    policy: str
    label_schema: str
    guideline: str


async def bodies_of(r: ReadSession, release: ReleaseRow) -> Bodies:
    """The documents of a release."""
    statement = (
        select(PolicyRow.body, LabelSchemaRow.body, GuidelineRow.body)
        .select_from(ReleaseRow)
        .join(PolicyRow, PolicyRow.sha256 == ReleaseRow.policy)
        .join(LabelSchemaRow, LabelSchemaRow.sha256 == ReleaseRow.label_schema)
        .join(GuidelineRow, GuidelineRow.sha256 == ReleaseRow.guideline)
        .where(ReleaseRow.id == release.id)
    )
    policy, label_schema, guideline = (await r.execute(statement)).one()
    return Bodies(policy=policy, label_schema=label_schema, guideline=guideline)


async def sizes_of(r: ReadSession, digests: Sequence[str]) -> dict[str, int]:
    """The sizes of stored artifacts in bytes, by digest."""
    found = await r.execute(select(ArtifactRow.sha256, ArtifactRow.bytes).where(ArtifactRow.sha256.in_(digests)))
    return {row[0]: row[1] for row in found}


async def dataset_manifest(r: ReadSession, sha256: str) -> str | None:
    """The manifest of a dataset; none where the digest is that of another file."""
    return (await r.execute(select(DatasetRow.manifest).where(DatasetRow.sha256 == sha256))).scalar_one_or_none()


async def imported_as(r: ReadSession, tenant_id: UUID, model: str, bundle: str) -> str | None:
    """The release that a bundle was imported as; none where it was not."""
    statement = select(EventRow.data).where(
        EventRow.tenant_id == tenant_id, EventRow.subject == f"model:{model}", EventRow.type == "release.imported"
    )
    told = [msgspec.json.decode(data) for data in (await r.execute(statement)).scalars()]
    return next((str(each["release"]) for each in told if each["bundle"] == bundle), None)


async def trials_of_release(r: ReadSession, release_id: UUID) -> list[TrialRow]:
    """The trials of a release, the first one first."""
    statement = select(TrialRow).where(TrialRow.release_id == release_id).order_by(TrialRow.opened_us, TrialRow.id)
    return list((await r.execute(statement)).scalars())


async def trial_events(r: ReadSession, model: ModelRow, trial: TrialRow) -> list[Event]:
    """What happened in a trial: opened, its canary opened, closed."""
    statement = (
        select(EventRow)
        .where(
            EventRow.tenant_id == model.tenant_id,
            EventRow.subject == f"model:{model.name}",
            EventRow.type.in_(TRIAL_EVENTS),
            EventRow.occurred_us >= trial.opened_us,
        )
        .order_by(EventRow.occurred_us, EventRow.id)
    )
    if trial.closed_us is not None:
        statement = statement.where(EventRow.occurred_us <= trial.closed_us)
    return [_event(row) for row in (await r.execute(statement)).scalars()]


def _event(row: EventRow) -> Event:
    data = msgspec.Raw(row.data.encode())
    return Event(
        id=row.id, tenant_id=row.tenant_id, type=row.type, subject=row.subject, data=data, by=row.by,
        occurred_us=row.occurred_us, position=row.position,
    )  # fmt: skip
