"""The SQL of datasets and of what differs between two."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import aliased

from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.once import insert_once
from gateway.store.schema.learning import DatasetItemRow, DatasetRow
from gateway.store.schema.serves import ArtifactRow, ModelRow, ReleaseArtifactRow
from gateway.store.schema.work import OutcomeRow
from review.store.material import raw_of_texts

_ADD_ITEM = (
    "INSERT INTO dataset_item (dataset, prediction_id, item, outcome_revision, split, kind, inclusion_probability) "
    "VALUES ({})"
)


class NewDataset(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset whose files are stored, ready to be written."""

    sha256: str
    tenant_id: UUID
    model_id: UUID
    model: str
    manifest: str
    items: int
    by: str
    at_us: int


class NewArtifact(msgspec.Struct, frozen=True, kw_only=True):
    """A stored file, ready to be written."""

    sha256: str
    kind: str
    bytes: int
    media_type: str
    location: str


async def keep_artifact(w: WriteSession, new: NewArtifact, at_us: int) -> None:
    """Write the row of a stored file, unless it is there."""
    await insert_once(w, ArtifactRow, **msgspec.structs.asdict(new), created_us=at_us)


async def insert_dataset(w: WriteSession, new: NewDataset) -> bool:
    """Write the row; False when the dataset is there already."""
    return await insert_once(
        w, DatasetRow, sha256=new.sha256, model_id=new.model_id, manifest=new.manifest, items=new.items, by=new.by,
        created_us=new.at_us,
    )  # fmt: skip


async def insert_items(w: WriteSession, dataset: str, batches: Iterator[Mapping[str, Sequence[Any]]]) -> None:
    """Write the rows of a dataset's items, in batches that the driver takes as they are.

    A batch has columns under the names of the table's, but for `prediction`, which is the id as text.
    """
    places = (f"${number}" for number in range(1, 8)) if w.locks_rows else ("?",) * 7
    statement = _ADD_ITEM.format(", ".join(places))
    connection = await w.connection()
    for batch in batches:
        columns = (batch[name] for name in ("item", "outcome_revision", "split", "kind", "inclusion_probability"))
        ids = raw_of_texts(w, batch["prediction"])
        await connection.exec_driver_sql(statement, list(zip(repeat(dataset), ids, *columns, strict=False)))


async def find_dataset(r: ReadSession, tenant_id: UUID, prefix: str) -> tuple[DatasetRow, str] | None:
    """The tenant's one dataset whose SHA-256 begins so, with the name of its model."""
    of_tenant = select(DatasetRow, ModelRow.name).join(ModelRow, ModelRow.id == DatasetRow.model_id)
    begins = DatasetRow.sha256.startswith(prefix, autoescape=True)
    found = (await r.execute(of_tenant.where(ModelRow.tenant_id == tenant_id, begins).limit(2))).all()
    return (found[0][0], found[0][1]) if len(found) == 1 else None


async def datasets_of(r: ReadSession, model_id: UUID) -> list[DatasetRow]:
    """A model's datasets, the newest first."""
    statement = select(DatasetRow).where(DatasetRow.model_id == model_id)
    return list((await r.execute(statement.order_by(DatasetRow.created_us.desc(), DatasetRow.sha256))).scalars())


async def is_imported(r: ReadSession, dataset: str) -> bool:
    """Whether a dataset came as files: its items have no rows, for their outcomes are in another ledger."""
    return (
        await r.execute(select(DatasetItemRow.item).where(DatasetItemRow.dataset == dataset).limit(1))
    ).first() is None


async def learned_from(r: ReadSession, release_id: UUID) -> list[str]:
    """The data artifacts that a release is attached to."""
    statement = select(ReleaseArtifactRow.artifact).where(
        ReleaseArtifactRow.release_id == release_id, ReleaseArtifactRow.role == "data"
    )
    return sorted((await r.execute(statement)).scalars())


async def items_file_of(r: ReadSession, artifact: str) -> str:
    """The items file of the dataset that the artifact is, or else the artifact itself."""
    manifest = (await r.execute(select(DatasetRow.manifest).where(DatasetRow.sha256 == artifact))).scalar_one_or_none()
    if manifest is None:
        return artifact
    return str(msgspec.json.decode(manifest)["items"]["sha256"])


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """An item of which two datasets say something different; None where a dataset does not have it."""

    prediction_id: UUID
    item: int
    before: str | None
    """The answer as JSON."""
    after: str | None


async def count_differences(r: ReadSession, before: str, after: str) -> tuple[int, int, int]:
    """How many items came, went, and changed their answer from one dataset to another."""

    async def count(items: Select[UUID, int, *tuple[str, ...]]) -> int:
        return int((await r.execute(select(func.count()).select_from(items.subquery()))).scalar_one())

    return (
        await count(_only_in(after, before)),
        await count(_only_in(before, after)),
        await count(_changed(before, after)),
    )


async def list_differences(r: ReadSession, before: str, after: str, limit: int) -> list[Changed]:
    """The first items that came, then those that went, then those that changed their answer."""
    came = await r.execute(_only_in(after, before).limit(limit))
    found = [Changed(prediction_id=row[0], item=row[1], before=None, after=row[2]) for row in came]
    went = await r.execute(_only_in(before, after).limit(limit))
    found += [Changed(prediction_id=row[0], item=row[1], before=row[2], after=None) for row in went]
    changed = await r.execute(_changed(before, after).limit(limit))
    return found + [Changed(prediction_id=row[0], item=row[1], before=row[2], after=row[3]) for row in changed]


def _only_in(one: str, other: str) -> Select[UUID, int, str]:
    """Prediction, item and answer of what only one of two datasets has."""
    mine, theirs = aliased(DatasetItemRow), aliased(DatasetItemRow)
    there = exists().where(
        theirs.dataset == other, theirs.prediction_id == mine.prediction_id, theirs.item == mine.item
    )
    columns = (mine.prediction_id, mine.item, OutcomeRow.answer)
    statement = select(*columns).join(OutcomeRow, _outcome_of(mine)).where(mine.dataset == one, ~there)
    return cast("Select[UUID, int, str]", statement.order_by(mine.prediction_id, mine.item))


def _changed(before: str, after: str) -> Select[UUID, int, str, str]:
    """Prediction, item, earlier and later answer of what both datasets have with another answer."""
    old, new, said, says = aliased(DatasetItemRow), aliased(DatasetItemRow), aliased(OutcomeRow), aliased(OutcomeRow)
    same = (new.prediction_id == old.prediction_id) & (new.item == old.item)
    statement = (
        select(old.prediction_id, old.item, said.answer.label("before"), says.answer.label("after"))
        .join(new, same)
        .join(said, _outcome_of(old, said))
        .join(says, _outcome_of(new, says))
        .where(old.dataset == before, new.dataset == after, said.answer != says.answer)
        .order_by(old.prediction_id, old.item)
    )
    return cast("Select[UUID, int, str, str]", statement)


def _outcome_of(item: type[DatasetItemRow], outcome: type[OutcomeRow] = OutcomeRow) -> ColumnElement[bool]:
    """The outcome that an item of a dataset holds."""
    return (
        (outcome.prediction_id == item.prediction_id)
        & (outcome.item == item.item)
        & (outcome.revision == item.outcome_revision)
    )
