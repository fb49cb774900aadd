"""Datasets as people ask for them: freeze one, list them, show one, and say what came and went between two."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.labels import Answer
from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.models import known_model
from review.actors import Actor
from review.learning.child import in_child
from review.learning.errors import DatasetImported, UnknownDataset
from review.learning.freezing import FreezeTask, Frozen
from review.learning.manifest import Manifest, read_manifest
from review.operators import require_operator
from review.store.datasets import Changed, count_differences, datasets_of, find_dataset, is_imported, list_differences

LISTED = 100
"""How many items of each kind a difference names."""


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where payloads and artifacts are."""

    payloads_url: str
    artifacts: LocalObjects


class DatasetLine(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset in a list."""

    dataset: str
    items: int
    splits: dict[str, int]
    warnings: tuple[str, ...]
    by: str
    created_us: int


class DatasetShown(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset with its manifest."""

    dataset: str
    model: str
    by: str
    created_us: int
    manifest: Manifest


class ItemChanged(msgspec.Struct, frozen=True, kw_only=True):
    """An item of which two datasets say something different."""

    prediction: UUID
    item: int
    before: Answer | None
    after: Answer | None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What came, what went and what changed its answer; of each the number, and the first of them."""

    before: str
    after: str
    came: int
    went: int
    changed: int
    items: tuple[ItemChanged, ...]


async def freeze_model(
    ledger: Ledger, places: Places, actor: Actor, model: str, since_us: int = 0, kinds: Sequence[str] = ()
) -> Frozen:
    """Freeze a model's outcomes in a child process; equal outcomes give the dataset that is there.

    Raises: UnknownModel, NotAllowed, DatasetEmpty, AnswersOutsideSchema, InputsDiffer, LearningFailed.
    """
    async with ledger.reading() as r:
        require_operator(actor, (await known_model(r, actor.tenant_id, model)).id)
    task = FreezeTask(
        ledger_url=ledger.url.render_as_string(hide_password=False),
        payloads_url=places.payloads_url,
        artifacts=str(places.artifacts.directory.root),
        tenant_id=actor.tenant_id,
        model=model,
        by=actor.by,
        since_us=since_us,
        kinds=tuple(sorted(set(kinds))),
    )
    frozen = await in_child("learning.freezing", task, Frozen)
    await ledger.bell.ring()
    return frozen


async def list_datasets(r: ReadSession, tenant_id: UUID, model: str) -> list[DatasetLine]:
    """A model's datasets, the newest first. Raises: UnknownModel."""
    found = await datasets_of(r, (await known_model(r, tenant_id, model)).id)
    manifests = [read_manifest(row.manifest) for row in found]
    return [
        DatasetLine(
            dataset=row.sha256,
            items=row.items,
            splits=dict(manifest.splits),
            warnings=tuple(warned.name for warned in manifest.warnings),
            by=row.by,
            created_us=row.created_us,
        )
        for row, manifest in zip(found, manifests, strict=True)
    ]


async def show_dataset(r: ReadSession, tenant_id: UUID, dataset: str) -> DatasetShown:
    """A dataset by the first characters of its SHA-256. Raises: UnknownDataset."""
    found = await find_dataset(r, tenant_id, dataset)
    if found is None:
        raise UnknownDataset(dataset=dataset[:80])
    row, model = found
    return DatasetShown(
        dataset=row.sha256,
        model=model,
        by=row.by,
        created_us=row.created_us,
        manifest=read_manifest(row.manifest),
    )


async def diff_datasets(r: ReadSession, tenant_id: UUID, before: str, after: str) -> Difference:
    """What came, went and changed its answer from one dataset to another. Raises: UnknownDataset, DatasetImported."""
    one, other = [(await show_dataset(r, tenant_id, each)).dataset for each in (before, after)]
    for each in (one, other):
        if await is_imported(r, each):
            raise DatasetImported(dataset=each[:12])
    came, went, changed = await count_differences(r, one, other)
    listed = await list_differences(r, one, other, LISTED)
    items = tuple(_item_changed(each) for each in listed)
    return Difference(before=one, after=other, came=came, went=went, changed=changed, items=items)


def _item_changed(changed: Changed) -> ItemChanged:
    def answer(text: str | None) -> Answer | None:
        return None if text is None else msgspec.json.decode(text, type=Answer)

    return ItemChanged(
        prediction=changed.prediction_id, item=changed.item, before=answer(changed.before), after=answer(changed.after)
    )
