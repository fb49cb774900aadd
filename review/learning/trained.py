"""Makes a version and a release of what a training has written: everything in one transaction, with one event."""

from uuid import UUID

import msgspec

from gateway.inference.report import AdmissionReport
from gateway.record.objects import StoredObject
from gateway.registry.adding import require_signature
from gateway.registry.card import Card
from gateway.registry.fitting import require_fit
from gateway.store.events import append_event
from gateway.store.ledger import Ledger, WriteSession
from gateway.store.models import NewVersion, ReleaseParts, add_release, add_version, attach, lock_model
from gateway.store.schema.serves import ReleaseRow
from review.learning.errors import JobOver
from review.learning.jobs import TrainArgs, TrainingResult
from review.learning.manifest import Manifest
from review.learning.recipe import TrainingRecord
from review.release.moving import Standing, standing_of
from review.store.datasets import NewArtifact, keep_artifact
from review.store.jobs import note_result
from review.store.releases import documents_of, version_of

TEXT = "text/plain; charset=utf-8"


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """What a training has made, admitted and stored."""

    report: AdmissionReport
    file: StoredObject
    log: StoredObject
    code: tuple[StoredObject, ...]
    """The files that it ran with."""
    record: TrainingRecord


async def register(
    ledger: Ledger, tenant_id: UUID, args: TrainArgs, manifest: Manifest, product: Product
) -> TrainingResult:
    """Write version, release and what is attached to it, with the champion as parent and under its documents.

    Raises: JobOver (cancelled meanwhile), SignatureChanged, CardRefused.
    """
    assert product.record.run is not None
    async with ledger.writing() as w:
        at_us = await w.now_us()
        model = await lock_model(w, tenant_id, args.model)
        assert model is not None  # models are never removed
        now = await standing_of(w, model)
        require_signature(model, msgspec.json.encode(product.report.signature))
        require_fit((await documents_of(w, model, now.champion)).release.card, product.report)
        release, version = await _add(w, now, args, product, at_us)
        await _attach(w, release.id, args.dataset, manifest, product, at_us)
        name = f"{model.name}@{release.number}"
        result = TrainingResult(log=product.log.sha256, version=version, release=name)
        if not await note_result(w, product.record.run.job, msgspec.json.encode(result).decode(), at_us):
            raise JobOver(state="over")
        data = {
            "release": name, "version": version, "parent": now.champion_name, "dataset": args.dataset,
            "recipe": product.record.recipe_sha256, "job": str(product.record.run.job),
        }  # fmt: skip
        by = product.record.run.by
        await append_event(w, "release.trained", f"model:{model.name}", data, by=by, tenant_id=tenant_id, at_us=at_us)
    return result


async def _add(w: WriteSession, now: Standing, args: TrainArgs, product: Product, at_us: int) -> tuple[ReleaseRow, int]:
    """The release and the number of its version."""
    assert product.record.run is not None
    champion, by = now.champion, product.record.run.by
    new = NewVersion(
        artifact=product.file,
        card=msgspec.json.decode((await version_of(w, champion)).card, type=Card),
        signature=msgspec.json.encode(product.report.signature),
        report=msgspec.json.encode(product.report),
        by=by,
        at_us=at_us,
        recipe=msgspec.json.encode(product.record).decode(),
    )
    version = await add_version(w, now.model, new)
    parts = ReleaseParts(policy=champion.policy, label_schema=champion.label_schema, guideline=champion.guideline)
    why = args.why or f"Trained on the dataset {args.dataset[:12]}… by the recipe {product.record.recipe.name}."
    release = await add_release(w, version, parts, by, at_us, parent=champion, why=why, overrides=champion.overrides)
    return release, version.number


async def _attach(
    w: WriteSession, release_id: UUID, dataset: str, manifest: Manifest, product: Product, at_us: int
) -> None:
    """Attach the dataset to the release, and keep log and code of the training."""
    for stored in (product.log, *product.code):
        values = msgspec.structs.asdict(stored)
        await keep_artifact(w, NewArtifact(**values, kind="recipe", media_type=TEXT), at_us)
    await attach(w, release_id, {"data": dataset, "annotations": manifest.annotations.sha256})
