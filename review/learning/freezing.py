"""Freezes a model's outcomes: two Parquet files and a manifest under their SHA-256, then all rows in one transaction.

`python -m review.learning.freezing` is the child process that does it.
"""

import asyncio
from contextlib import nullcontext
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import msgspec

from gateway.errors import UnknownModel
from gateway.protocol.signature import Signature
from gateway.record.objects import StoredObject
from gateway.record.payloads import LocalObjects, open_objects
from gateway.store.events import append_event
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.models import find_model
from gateway.store.serving import served_models
from review.learning.ahead import Material, ReadHere, read_ahead
from review.learning.child import Task, be_child
from review.learning.collecting import Collector, Tally, Wanted
from review.learning.errors import DatasetEmpty
from review.learning.manifest import FORMAT, MEDIA_TYPE, PARQUET, File, Manifest, manifest_bytes
from review.learning.parquet import ANNOTATIONS, ParquetWriter, items_schema, read_rows
from review.learning.splits import Split
from review.learning.validation import warnings_about
from review.store.datasets import NewArtifact, NewDataset, insert_dataset, insert_items, keep_artifact
from review.store.material import FoundVerdict, are_many_outcomes, id_text

FOLDER_PREFIX = "freeze-"
ITEMS, HISTORY = "items.parquet", "annotations.parquet"
AHEAD_FROM = 50_000
"""So many outcomes are worth a second process, which takes a second to start."""
ROW_COLUMNS = ("prediction", "item", "outcome_revision", "split", "kind", "inclusion_probability")


class FreezeTask(Task, frozen=True, kw_only=True):
    """What shall be frozen, and where everything is."""

    payloads_url: str
    artifacts: str
    tenant_id: UUID
    model: str
    by: str
    since_us: int = 0
    kinds: tuple[str, ...] = ()


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset that is there now."""

    dataset: str
    """The SHA-256 of its manifest."""
    new: bool
    """False when the same outcomes had been frozen before."""
    manifest: Manifest


async def freeze(ledger: Ledger, task: FreezeTask, *, ahead_from: int = AHEAD_FROM) -> Frozen:
    """Freeze a model's outcomes; freezing the same ones again finds the same dataset.

    Where the ledger has more than `ahead_from` outcomes, another process reads ahead.
    Raises: UnknownModel, DatasetEmpty, AnswersOutsideSchema, InputsDiffer.
    """
    artifacts = LocalObjects(Path(task.artifacts))
    # Beside the artifacts and not among them: a backup takes everything that lies there.
    with TemporaryDirectory(prefix=FOLDER_PREFIX, dir=Path(task.artifacts).parent) as folder:
        async with ledger.reading() as r:
            wanted, model_id = await _wanted(r, task)
            many = await are_many_outcomes(r, ahead_from)
            async with read_ahead(ledger, model_id) if many else nullcontext(ReadHere(r, model_id)) as material:
                tally = await _collect(material, wanted, task, Path(folder))
                items = await artifacts.put_file(Path(folder, ITEMS))
                rows = await _annotate(material, Path(folder), items.sha256)
        history = await artifacts.put_file(Path(folder, HISTORY))
        manifest = _manifest(wanted, tally, items, history, rows)
        kept = await artifacts.put(manifest_bytes(manifest))
        new = await _register(ledger, task, model_id, manifest, (kept, items, history), Path(folder, ITEMS))
    return Frozen(dataset=kept.sha256, new=new, manifest=manifest)


async def _wanted(r: ReadSession, task: FreezeTask) -> tuple[Wanted, UUID]:
    model = await find_model(r, task.tenant_id, task.model)
    plans = await served_models(r, task.tenant_id, task.model)
    if model is None or not plans:
        raise UnknownModel(model=task.model[:80])
    wanted = Wanted(
        model=task.model,
        card=plans[0].champion.card,
        signature=msgspec.json.decode(model.signature, type=Signature),
        since_us=task.since_us,
        kinds=frozenset(task.kinds),
        now_us=await r.now_us(),
    )
    return wanted, model.id


async def _collect(material: Material, wanted: Wanted, task: FreezeTask, folder: Path) -> Tally:
    """Write the items file. Raises: DatasetEmpty, AnswersOutsideSchema, InputsDiffer."""
    inputs: dict[str, str] = {spec.name: spec.datatype for spec in wanted.signature.inputs}
    beside = {shown.input: shown.datatype for shown in wanted.card.shown if shown.beside}
    schema = items_schema(inputs, beside, [declared.name for declared in wanted.card.slices])
    tensors = [*(f"input.{name}" for name in inputs), *(f"beside.{name}" for name in beside)]
    writer = ParquetWriter(folder / ITEMS, schema, tensors)
    collector = Collector(wanted, open_objects(task.payloads_url), writer)
    try:
        await collector.collect(material.outcomes())
    finally:
        writer.close()
    if not writer.rows:
        raise DatasetEmpty(model=task.model, left_out=collector.tally.left_out.total())
    return collector.tally


async def _annotate(material: Material, folder: Path, salt: str) -> int:
    """Write every verdict on the dataset's items, in the order of the items; returns how many there are."""
    writer = ParquetWriter(folder / HISTORY, ANNOTATIONS)
    keys, people = ItemKeys(folder / ITEMS), _People(salt)
    try:
        async for page in material.verdicts():
            rows: list[tuple[object, ...]] = []
            for prediction_id, group in groupby(page, key=attrgetter("prediction_id")):
                prediction = id_text(prediction_id)
                rows += [_annotation(prediction, each, people) for each in group if keys.has((prediction, each.item))]
            writer.add(rows, {})
    finally:
        writer.close()
    return writer.rows


class ItemKeys:
    """The items of a file, or of one split of it; asked for in their order, they need no memory."""

    def __init__(self, items: Path, *, split: Split | None = None) -> None:
        batches = read_rows(items, ("prediction", "item"), split=split)
        self._keys = (key for batch in batches for key in zip(batch["prediction"], batch["item"], strict=True))
        self._next = next(self._keys, None)

    def has(self, key: tuple[str, int]) -> bool:
        """Whether the file has this item."""
        while self._next is not None and self._next < key:
            self._next = next(self._keys, None)
        return self._next == key


class _People:
    """The names of people in one dataset."""

    def __init__(self, salt: str) -> None:
        self._salt = salt
        self._names: dict[bytes, str] = {}

    def name(self, person_id: bytes) -> str:
        """A person's name here: always the same, another one in another dataset, and no way back to the person."""
        if person_id not in self._names:
            digest = sha256(f"{self._salt}/{id_text(person_id)}".encode()).hexdigest()
            self._names[person_id] = f"person-{digest[:12]}"
        return self._names[person_id]


def _annotation(prediction: str, found: FoundVerdict, people: _People) -> tuple[object, ...]:
    return (
        prediction, found.item, found.case_kind, people.name(found.person_id), found.kind, found.answer,
        found.reason_code, found.rationale, found.created_us, found.active_s, found.guideline, found.round,
        bool(found.adjudicated), bool(found.effective),
    )  # fmt: skip


def _manifest(wanted: Wanted, tally: Tally, items: StoredObject, history: StoredObject, rows: int) -> Manifest:
    labels = wanted.card.labels
    decoded = {str(msgspec.json.decode(answer)): n for answer, n in tally.classes.items()}
    classes = decoded if labels.kind == "choice" else {}
    return Manifest(
        format=FORMAT,
        model=wanted.model,
        labels=labels,
        items=File(sha256=items.sha256, bytes=items.bytes, rows=tally.splits.total()),
        annotations=File(sha256=history.sha256, bytes=history.bytes, rows=rows),
        splits={"train": 0, "held_out": 0} | dict(tally.splits),
        kinds=dict(tally.kinds),
        sources=dict(tally.sources),
        classes=classes,
        slices=tuple(declared.name for declared in wanted.card.slices),
        left_out=dict(tally.left_out),
        warnings=warnings_about(tally.columns(), labels, classes),
    )


async def _register(
    ledger: Ledger, task: FreezeTask, model_id: UUID, manifest: Manifest, files: tuple[StoredObject, ...], items: Path
) -> bool:
    """Write every row in one transaction; False when the dataset was there already."""
    kept = files[0]
    kinds = (("data", MEDIA_TYPE), ("data", PARQUET), ("annotations", PARQUET))
    async with ledger.writing() as w:
        at_us = await w.now_us()
        new = NewDataset(
            sha256=kept.sha256, tenant_id=task.tenant_id, model_id=model_id, model=task.model,
            manifest=manifest_bytes(manifest).decode(), items=manifest.items.rows, by=task.by, at_us=at_us,
        )  # fmt: skip
        if not await insert_dataset(w, new):
            return False
        for file, (kind, media_type) in zip(files, kinds, strict=True):
            stored = msgspec.structs.asdict(file)
            await keep_artifact(w, NewArtifact(**stored, kind=kind, media_type=media_type), at_us)
        await insert_items(w, kept.sha256, read_rows(items, ROW_COLUMNS))
        data = {"dataset": kept.sha256, "items": new.items, "since_us": task.since_us, "kinds": list(task.kinds)}
        await append_event(
            w, "dataset.frozen", f"model:{task.model}", data, by=task.by, tenant_id=task.tenant_id, at_us=at_us
        )
    return True


if __name__ == "__main__":
    asyncio.run(be_child(FreezeTask, freeze))
