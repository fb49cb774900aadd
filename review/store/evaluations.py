"""The SQL of evaluations, and of the releases they are about."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from gateway.ids import new_id
from gateway.store.ledger import Ledger, ReadSession, WriteSession
from gateway.store.looks import THERE, Look
from gateway.store.models import attach
from gateway.store.schema.learning import DatasetRow, EvaluationRow
from gateway.store.schema.predictions import PredictionRow
from gateway.store.schema.serves import ModelRow, ReleaseArtifactRow, ReleaseRow, ServingRow


class NewEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation whose report is stored, ready to be written."""

    release_id: UUID
    dataset: str
    scores: str
    report: str
    baseline_id: UUID | None
    narrative: str
    seed: int
    created_us: int


class Fresh(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset on which the champion of its model was not measured yet."""

    tenant_id: UUID
    release: str
    dataset: str
    manifest: str


async def find_release(r: ReadSession, tenant_id: UUID, name: str) -> tuple[UUID, ModelRow] | None:
    """A release by its name, such as `sentiment@7`, with its model."""
    model, _, number = name.partition("@")
    if not number.isdecimal() or len(number) > 9:
        return None
    statement = (
        select(ReleaseRow.id, ModelRow)
        .join(ModelRow, ModelRow.id == ReleaseRow.model_id)
        .where(ModelRow.tenant_id == tenant_id, ModelRow.name == model, ReleaseRow.number == int(number))
    )
    row = (await r.execute(statement)).one_or_none()
    return None if row is None else (row[0], row[1])


async def champion_of(r: ReadSession, model_id: UUID) -> UUID | None:
    """The release that serves."""
    return (await r.execute(select(ServingRow.champion_id).where(ServingRow.model_id == model_id))).scalar_one_or_none()


async def insert_evaluation(w: WriteSession, new: NewEvaluation) -> UUID:
    """Write the row; its id."""
    row = EvaluationRow(id=new_id(), **msgspec.structs.asdict(new))
    w.add(row)
    await w.flush()
    return row.id


async def attach_report(w: WriteSession, new: NewEvaluation) -> None:
    """Attach the report to its release: each that compares with a champion, and the first of all."""
    if new.baseline_id is not None or await report_of(w, new.release_id) is None:
        await attach(w, new.release_id, {"report": new.report})


async def report_of(r: ReadSession, release_id: UUID) -> EvaluationRow | None:
    """The evaluation whose report is the release's own: the latest among those that are attached."""
    attached = (ReleaseArtifactRow.release_id == release_id) & (ReleaseArtifactRow.role == "report")
    statement = (
        select(EvaluationRow)
        .join(ReleaseArtifactRow, (ReleaseArtifactRow.artifact == EvaluationRow.report) & attached)
        .where(EvaluationRow.release_id == release_id)
        .order_by(EvaluationRow.created_us.desc(), EvaluationRow.id.desc())
        .limit(1)
    )
    return (await r.execute(statement)).scalar_one_or_none()


async def equal_evaluation(r: ReadSession, release_id: UUID, report: str) -> UUID | None:
    """The evaluation of a release that has this very report."""
    statement = select(EvaluationRow.id).where(EvaluationRow.release_id == release_id, EvaluationRow.report == report)
    return (await r.execute(statement.limit(1))).scalar_one_or_none()


async def evaluation(r: ReadSession, tenant_id: UUID, evaluation_id: UUID) -> EvaluationRow | None:
    """An evaluation of a tenant's model."""
    statement = (
        select(EvaluationRow)
        .join(ReleaseRow, ReleaseRow.id == EvaluationRow.release_id)
        .join(ModelRow, ModelRow.id == ReleaseRow.model_id)
        .where(EvaluationRow.id == evaluation_id, ModelRow.tenant_id == tenant_id)
    )
    return (await r.execute(statement)).scalar_one_or_none()


async def release_evaluated(r: ReadSession, evaluation_id: UUID) -> str:
    """The release that an evaluation is about, such as `sentiment@7`."""
    statement = (
        select(ModelRow.name, ReleaseRow.number)
        .join(ReleaseRow, ReleaseRow.model_id == ModelRow.id)
        .join(EvaluationRow, EvaluationRow.release_id == ReleaseRow.id)
        .where(EvaluationRow.id == evaluation_id)
    )
    model, number = (await r.execute(statement)).one()
    return f"{model}@{number}"


async def predictions_here(r: ReadSession, tenant_id: UUID, ids: Sequence[UUID]) -> list[UUID]:
    """Those of some predictions that a tenant has."""
    statement = select(PredictionRow.id).where(PredictionRow.tenant_id == tenant_id, PredictionRow.id.in_(ids))
    return list((await r.execute(statement)).scalars())


async def evaluations_of(r: ReadSession, model_id: UUID, release_id: UUID | None = None) -> list[EvaluationRow]:
    """The evaluations of a model's releases, or of one of them, the newest first."""
    statement = select(EvaluationRow).join(ReleaseRow, ReleaseRow.id == EvaluationRow.release_id)
    statement = statement.where(ReleaseRow.model_id == model_id)
    if release_id is not None:
        statement = statement.where(EvaluationRow.release_id == release_id)
    ordered = statement.order_by(EvaluationRow.created_us.desc(), EvaluationRow.id.desc())
    return list((await r.execute(ordered)).scalars())


async def latest_against(r: ReadSession, release_id: UUID, baseline_id: UUID) -> EvaluationRow | None:
    """The latest evaluation of a release beside this baseline."""
    statement = (
        select(EvaluationRow)
        .where(EvaluationRow.release_id == release_id, EvaluationRow.baseline_id == baseline_id)
        .order_by(EvaluationRow.created_us.desc(), EvaluationRow.id.desc())
        .limit(1)
    )
    return (await r.execute(statement)).scalar_one_or_none()


_MEASURED = exists().where(
    EvaluationRow.dataset == DatasetRow.sha256, EvaluationRow.release_id == ServingRow.champion_id
)
_OTHER = aliased(DatasetRow)
_NEWER = exists().where(_OTHER.model_id == DatasetRow.model_id, _OTHER.created_us > DatasetRow.created_us)
_UNMEASURED = Look(
    select(THERE)
    .select_from(DatasetRow)
    .join(ServingRow, ServingRow.model_id == DatasetRow.model_id)
    .where(~_MEASURED, ~_NEWER)
    .limit(1),
    indexed=False,
)


async def any_fresh(ledger: Ledger) -> bool:
    """Whether some champion was not measured on the newest dataset of its model. Raises: LedgerUnavailable."""
    return bool(await ledger.look(_UNMEASURED))


async def fresh_datasets(r: ReadSession) -> list[Fresh]:
    """The newest dataset of each model on which its champion was not measured yet."""
    statement = (
        select(DatasetRow, ModelRow.tenant_id, ModelRow.name, ReleaseRow.number, _MEASURED.label("measured"))
        .join(ModelRow, ModelRow.id == DatasetRow.model_id)
        .join(ServingRow, ServingRow.model_id == ModelRow.id)
        .join(ReleaseRow, ReleaseRow.id == ServingRow.champion_id)
        .order_by(DatasetRow.created_us)
    )
    newest = {row[0].model_id: row for row in await r.execute(statement)}
    return [
        Fresh(tenant_id=tenant, release=f"{name}@{number}", dataset=dataset.sha256, manifest=dataset.manifest)
        for dataset, tenant, name, number, done in newest.values()
        if not done
    ]
