"""Datasets under `/api/v1/datasets` and `/api/v1/models/{model}/datasets`: frozen, hashed sets of outcomes."""

import msgspec
from litestar import Controller, get, post

from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from gateway.store.schema.work import CaseKind
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.learning.datasets import (
    DatasetLine,
    DatasetShown,
    Difference,
    Places,
    diff_datasets,
    freeze_model,
    list_datasets,
    show_dataset,
)
from review.learning.freezing import Frozen


class Freezing(msgspec.Struct, frozen=True, kw_only=True):
    """Which outcomes are frozen: those settled since a moment, of cases of these kinds; all unless said otherwise."""

    since_us: int = 0
    kinds: tuple[CaseKind, ...] = ()


class DatasetsController(Controller):
    """Datasets."""

    path = "/api/v1"
    tags = ("datasets",)

    @post("/models/{model:str}/datasets", **needs("operate"))
    async def freeze(self, model: str, data: Freezing, ledger: Ledger, actor: Actor, settings: ApiSettings) -> Frozen:
        """Freeze a model's outcomes; answers when the dataset is there. The same outcomes give the same dataset."""
        return await freeze_model(ledger, places_of(settings), actor, model, data.since_us, data.kinds)

    @get("/models/{model:str}/datasets", **needs("inspect"))
    async def list_all(self, model: str, ledger: Ledger, actor: Actor) -> list[DatasetLine]:
        """A model's datasets, the newest first."""
        async with ledger.reading() as r:
            return await list_datasets(r, actor.tenant_id, model)

    @get("/datasets/{dataset:str}", **needs("inspect"))
    async def show(self, dataset: str, ledger: Ledger, actor: Actor) -> DatasetShown:
        """A dataset with its manifest, by the first characters of its SHA-256."""
        async with ledger.reading() as r:
            return await show_dataset(r, actor.tenant_id, dataset)

    @get("/datasets/{dataset:str}/diff/{other:str}", **needs("inspect"))
    async def diff(self, dataset: str, other: str, ledger: Ledger, actor: Actor) -> Difference:
        """What came, what went and what changed its answer from one dataset to another."""
        async with ledger.reading() as r:
            return await diff_datasets(r, actor.tenant_id, dataset, other)


def places_of(settings: ApiSettings) -> Places:
    """Where this server keeps payloads and artifacts."""
    return Places(payloads_url=settings.payloads_url, artifacts=LocalObjects(settings.artifacts))
