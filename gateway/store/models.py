"""The SQL of models, versions, releases and what serves."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute

from gateway.errors import UnknownModel
from gateway.ids import new_id
from gateway.inference.upstreams import Upstream
from gateway.record.objects import StoredObject, digest_of
from gateway.registry.card import Card
from gateway.store.events import append_event
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.once import insert_once
from gateway.store.plans import bump_plan
from gateway.store.schema.columns import Table
from gateway.store.schema.serves import (
    ArtifactRow,
    AttachedRole,
    GuidelineRow,
    LabelSchemaRow,
    ModelRow,
    PolicyRow,
    ReleaseArtifactRow,
    ReleaseMarkRow,
    ReleaseRow,
    ServingHistoryRow,
    ServingRow,
    VersionRow,
)

FOUNDED = "The first release; it has no data, annotations or report yet."


class NewVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A model file that was admitted, ready to be written to the ledger."""

    artifact: StoredObject | None
    """None where the model runs elsewhere."""
    card: Card
    signature: bytes
    report: bytes
    by: str
    at_us: int
    upstream: Upstream | None = None
    recipe: str | None = None
    """How it was trained, as JSON; none where nobody declared it."""


class ReleaseParts(msgspec.Struct, frozen=True, kw_only=True):
    """The digests of a release's own documents."""

    policy: str
    label_schema: str
    guideline: str


async def find_model(r: ReadSession, tenant_id: UUID, name: str) -> ModelRow | None:
    """The model with this name."""
    statement = select(ModelRow).where(ModelRow.tenant_id == tenant_id, ModelRow.name == name)
    return (await r.execute(statement)).scalar_one_or_none()


async def known_model(r: ReadSession, tenant_id: UUID, name: str) -> ModelRow:
    """The model with this name. Raises: UnknownModel."""
    model = await find_model(r, tenant_id, name)
    if model is None:
        raise UnknownModel(model=name[:80])
    return model


async def model_names(r: ReadSession, tenant_id: UUID) -> list[str]:
    """The names of a tenant's models, in their order."""
    statement = select(ModelRow.name).where(ModelRow.tenant_id == tenant_id).order_by(ModelRow.name)
    return list((await r.execute(statement)).scalars())


async def lock_model(w: WriteSession, tenant_id: UUID, name: str) -> ModelRow | None:
    """The model with this name, locked where the database locks rows: its halt and its numbers change one by one."""
    statement = select(ModelRow).where(ModelRow.tenant_id == tenant_id, ModelRow.name == name)
    found = await w.execute(statement.with_for_update() if w.locks_rows else statement)
    return found.scalar_one_or_none()


async def versions_of(r: ReadSession, model_id: UUID) -> list[VersionRow]:
    """Every version of a model, the newest first."""
    statement = select(VersionRow).where(VersionRow.model_id == model_id).order_by(VersionRow.number.desc())
    return list((await r.execute(statement)).scalars())


def upstream_of(version: VersionRow) -> str | None:
    """The address at which a version runs; None where it runs here."""
    found = described_upstream(version)
    return found.address if found is not None else None


def described_upstream(version: VersionRow) -> Upstream | None:
    """The upstream that a version is; None where it is a file."""
    return msgspec.json.decode(version.upstream, type=Upstream) if version.upstream is not None else None


def model_file_of(version: VersionRow) -> str:
    """The digest of a version's file, or of the description of its upstream."""
    found = described_upstream(version)
    return found.digest if found is not None else version.artifact or ""


async def releases_of(r: ReadSession, model_id: UUID) -> list[tuple[ReleaseRow, int]]:
    """Every release of a model with the number of its version, the newest first."""
    statement = (
        select(ReleaseRow, VersionRow.number)
        .join(VersionRow, VersionRow.id == ReleaseRow.version_id)
        .where(ReleaseRow.model_id == model_id)
        .order_by(ReleaseRow.number.desc())
    )
    return [(release, version) for release, version in await r.execute(statement)]


async def add_model(w: WriteSession, tenant_id: UUID, name: str, new: NewVersion) -> ModelRow:
    """A new model, without versions."""
    row = ModelRow(
        id=new_id(),
        tenant_id=tenant_id,
        name=name,
        four_eyes=new.card.four_eyes,
        signature=new.signature.decode(),
        created_us=new.at_us,
    )
    w.add(row)
    await w.flush()
    return row


async def add_version(w: WriteSession, model: ModelRow, new: NewVersion) -> VersionRow:
    """The model's next version, with its artifact, or with where it runs."""
    if new.artifact is not None:
        await insert_once(
            w,
            ArtifactRow,
            sha256=new.artifact.sha256,
            kind="model",
            bytes=new.artifact.bytes,
            media_type="application/octet-stream",
            location=new.artifact.location,
            created_us=new.at_us,
        )
    number = await _next_number(w, VersionRow.number, VersionRow.model_id == model.id)
    row = VersionRow(
        id=new_id(),
        model_id=model.id,
        number=number,
        artifact=new.artifact.sha256 if new.artifact is not None else None,
        upstream=msgspec.json.encode(new.upstream).decode() if new.upstream is not None else None,
        admission_report=new.report.decode(),
        card=msgspec.json.encode(new.card).decode(),
        recipe=new.recipe,
        by=new.by,
        created_us=new.at_us,
    )
    w.add(row)
    await w.flush()
    return row


async def add_release(
    w: WriteSession,
    version: VersionRow,
    parts: ReleaseParts,
    by: str,
    at_us: int,
    *,
    parent: ReleaseRow | None = None,
    why: str | None = None,
    attached: Mapping[AttachedRole, str] | None = None,
    overrides: str = "{}",
) -> ReleaseRow:
    """The model's next release: a version with its documents; its model file is attached, and what else is named."""
    number = await _next_number(w, ReleaseRow.number, ReleaseRow.model_id == version.model_id)
    row = ReleaseRow(
        id=new_id(),
        model_id=version.model_id,
        number=number,
        version_id=version.id,
        policy=parts.policy,
        label_schema=parts.label_schema,
        guideline=parts.guideline,
        overrides=overrides,
        parent_id=parent.id if parent is not None else None,
        by=by,
        why=why,
        created_us=at_us,
    )
    w.add(row)
    await w.flush()
    model: dict[AttachedRole, str] = {"model": version.artifact} if version.artifact is not None else {}
    await attach(w, row.id, model | dict(attached or {}))
    return row


async def attach(w: WriteSession, release_id: UUID, attached: Mapping[AttachedRole, str]) -> None:
    """Attach stored artifacts to a release, unless they are attached already."""
    for role, sha256 in attached.items():
        await insert_once(w, ReleaseArtifactRow, release_id=release_id, role=role, artifact=sha256)


async def keep_documents(w: WriteSession, card: Card, at_us: int) -> ReleaseParts:
    """Keep the policy, label schema and guideline of a card under their digests."""
    return ReleaseParts(
        policy=await _keep_document(w, PolicyRow, canonical(card.policy), at_us),
        label_schema=await _keep_document(w, LabelSchemaRow, canonical(card.labels), at_us),
        guideline=await _keep_document(w, GuidelineRow, card.guideline, at_us),
    )


async def found(
    w: WriteSession, model: ModelRow, release: ReleaseRow, by: str, at_us: int, *, why: str = FOUNDED
) -> None:
    """Make a model's first release serve. Its absent reports are recorded as absent by the mark `founding`."""
    mark = {"mark": "founding", "by": by, "why": why}
    await w.execute(insert(ReleaseMarkRow).values(release_id=release.id, created_us=at_us, **mark))
    await w.execute(insert(ServingRow).values(model_id=model.id, champion_id=release.id, previous_id=None, revision=1))
    await w.execute(
        insert(ServingHistoryRow).values(
            model_id=model.id,
            revision=1,
            champion_id=release.id,
            from_us=at_us,
            action="founded",
            by=by,
            why="The first release of the model.",
            gate=None,
            forced=False,
            second_person=None,
        )
    )
    data = {"release": f"{model.name}@{release.number}", "revision": 1}
    await append_event(w, "release.founded", f"model:{model.name}", data, by=by, tenant_id=model.tenant_id, at_us=at_us)
    await bump_plan(w, model.tenant_id)


def canonical(document: msgspec.Struct) -> str:
    """A document's one text: JSON with its fields in alphabetical order."""
    return msgspec.json.encode(document, order="deterministic").decode()


async def _keep_document(w: WriteSession, table: type[Table], body: str, at_us: int) -> str:
    sha256 = digest_of(body.encode())
    await insert_once(w, table, sha256=sha256, body=body, created_us=at_us)
    return sha256


async def _next_number(w: WriteSession, column: InstrumentedAttribute[int], of_model: ColumnElement[bool]) -> int:
    last: int | None = (await w.execute(select(func.max(column)).where(of_model))).scalar_one()
    return (last or 0) + 1
