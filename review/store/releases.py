"""The SQL of releases as operators see them: their documents, what is attached, and their marks."""

from uuid import UUID

import msgspec
from sqlalchemy import insert, select

from gateway.protocol.signature import Signature
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.schema.serves import (
    AttachedRole,
    ModelRow,
    ReleaseArtifactRow,
    ReleaseMarkRow,
    ReleaseRow,
    VersionRow,
)
from gateway.store.serving import release_plan
from review.release.difference import Documents


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact that is attached to a release."""

    role: str
    sha256: str


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A mark on a release: `founding` or `withdrawn`."""

    mark: str
    by: str
    why: str
    at_us: int


async def find_release(r: ReadSession, model_id: UUID, number: int) -> ReleaseRow | None:
    """The release of a model with this number."""
    statement = select(ReleaseRow).where(ReleaseRow.model_id == model_id, ReleaseRow.number == number)
    return (await r.execute(statement)).scalar_one_or_none()


async def find_version(r: ReadSession, model_id: UUID, number: int) -> VersionRow | None:
    """The version of a model with this number."""
    statement = select(VersionRow).where(VersionRow.model_id == model_id, VersionRow.number == number)
    return (await r.execute(statement)).scalar_one_or_none()


async def release_by_id(r: ReadSession, release_id: UUID) -> ReleaseRow:
    """The release with this id, which a row of the ledger names."""
    return (await r.execute(select(ReleaseRow).where(ReleaseRow.id == release_id))).scalar_one()


async def version_of(r: ReadSession, release: ReleaseRow) -> VersionRow:
    """The version that a release runs."""
    return (await r.execute(select(VersionRow).where(VersionRow.id == release.version_id))).scalar_one()


async def documents_of(r: ReadSession, model: ModelRow, release: ReleaseRow) -> Documents:
    """Everything a release consists of."""
    plan = await release_plan(r, model.name, release.id)
    return Documents(release=plan, overrides=msgspec.json.decode(release.overrides, type=dict[str, object]))


async def version_signature(r: ReadSession, release: ReleaseRow) -> Signature | None:
    """The names, datatypes and shapes of a release's version, as admission found them; none where it found none."""
    report = await r.execute(select(VersionRow.admission_report).where(VersionRow.id == release.version_id))
    return msgspec.json.decode(report.scalar_one(), type=_Report).signature


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    signature: Signature | None = None


async def attached_to(r: ReadSession, release_id: UUID) -> tuple[Attached, ...]:
    """The artifacts that are attached to a release, by role."""
    statement = (
        select(ReleaseArtifactRow.role, ReleaseArtifactRow.artifact)
        .where(ReleaseArtifactRow.release_id == release_id)
        .order_by(ReleaseArtifactRow.role, ReleaseArtifactRow.artifact)
    )
    return tuple(Attached(role=role, sha256=sha256) for role, sha256 in await r.execute(statement))


async def data_of_version(r: ReadSession, version_id: UUID) -> dict[AttachedRole, str]:
    """Data and annotations that the version's first release with any was trained with; they are the version's own."""
    learned = (ReleaseArtifactRow.role.in_(("data", "annotations")), ReleaseRow.version_id == version_id)
    statement = (
        select(ReleaseRow.number, ReleaseArtifactRow.role, ReleaseArtifactRow.artifact)
        .join(ReleaseRow, ReleaseRow.id == ReleaseArtifactRow.release_id)
        .where(*learned)
        .order_by(ReleaseRow.number)
    )
    rows = (await r.execute(statement)).all()
    return {role: artifact for number, role, artifact in rows if number == rows[0][0]}


async def marks_of(r: ReadSession, model_id: UUID) -> dict[UUID, tuple[Mark, ...]]:
    """The marks of a model's releases."""
    statement = (
        select(ReleaseMarkRow)
        .join(ReleaseRow, ReleaseRow.id == ReleaseMarkRow.release_id)
        .where(ReleaseRow.model_id == model_id)
        .order_by(ReleaseMarkRow.created_us)
    )
    marks: dict[UUID, tuple[Mark, ...]] = {}
    for row in (await r.execute(statement)).scalars():
        mark = Mark(mark=row.mark, by=row.by, why=row.why, at_us=row.created_us)
        marks[row.release_id] = (*marks.get(row.release_id, ()), mark)
    return marks


async def is_withdrawn(r: ReadSession, release_id: UUID) -> bool:
    """Whether a rollback has gone away from this release."""
    statement = select(ReleaseMarkRow.mark).where(
        ReleaseMarkRow.release_id == release_id, ReleaseMarkRow.mark == "withdrawn"
    )
    return (await r.execute(statement)).first() is not None


async def withdraw(w: WriteSession, release_id: UUID, *, by: str, why: str, at_us: int) -> None:
    """Mark a release as one that nothing rolls back to any more."""
    mark = {"mark": "withdrawn", "by": by, "why": why, "created_us": at_us}
    await w.execute(insert(ReleaseMarkRow).values(release_id=release_id, **mark))
