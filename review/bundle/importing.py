"""Brings a bundle into this Lockgate: its files as artifacts, its version admitted like any other, a release of it.

The dataset keeps its name and comes as files alone: the predictions and outcomes of its items are in another ledger, so
it has no rows of items here, and evaluation reads the files as it always does. The report is attached as it was made.
It compares with a champion of another place, so it is no evidence for the gate here; an evaluation of the same data
beside this place's champion is.

Everything is written in one transaction. A bundle that was imported before is found by its name and changes nothing.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from gateway.inference.machine import Machine
from gateway.inference.report import AdmissionLimits
from gateway.inference.upstreams import AllowedUpstreams, Upstream
from gateway.record.objects import StoredObject
from gateway.record.payloads import LocalObjects
from gateway.registry.adding import Adding, Admitted, Written, admit_into, check_name, insisting, write_admitted
from gateway.registry.elsewhere import admitted_elsewhere
from gateway.store.events import append_event
from gateway.store.ledger import Ledger, WriteSession
from gateway.store.models import attach, find_model, lock_model
from gateway.store.schema.serves import ArtifactKind, AttachedRole
from review.actors import Actor
from review.bundle.errors import ImportRefused
from review.bundle.unpacking import MODEL, PAGE, REPORT, STORED, SUBJECT, Unpacked, unpack
from review.console.report import HTML, report_html
from review.learning.heard import MEDIA_TYPE as HEARD
from review.learning.manifest import MEDIA_TYPE as DATASET
from review.learning.manifest import PARQUET
from review.learning.report import MEDIA_TYPE as REPORT_TYPE
from review.learning.report import Report, Summary, told_elsewhere
from review.learning.reporting import SUBJECT_MEDIA_TYPE
from review.operators import require_operator
from review.store.bundles import imported_as
from review.store.datasets import NewArtifact, NewDataset, find_dataset, insert_dataset, keep_artifact
from review.store.evaluations import NewEvaluation, attach_report, insert_evaluation

FOUNDED = "The first release here; it came as a bundle, with what is attached to it."
MEDIA_TYPES = {
    "manifest.json": DATASET, REPORT: REPORT_TYPE, PAGE: HTML, SUBJECT: SUBJECT_MEDIA_TYPE,
    "candidate-heard.json": HEARD, "champion-heard.json": HEARD,
}  # fmt: skip
KINDS: dict[str, ArtifactKind] = {
    "model": "model", "baseline": "model", "data": "data", "measured": "data", "annotations": "annotations",
    "report": "report", "subject": "report", "heard": "report",
}  # fmt: skip


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that is here now."""

    bundle: str
    """The SHA-256 of its manifest."""
    came_as: str
    """What the release was called where the bundle was taken."""
    release: str
    """What it is called here."""
    new: bool
    """False when it had been imported before, so that nothing was changed."""
    founding: bool
    """Whether it is the first release of its model here: it serves, with all flags off."""
    warnings: tuple[str, ...] = ()


class _Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle whose files are stored and whose model file was admitted."""

    actor: Actor
    unpacked: Unpacked
    admitted: Admitted
    files: tuple[NewArtifact, ...]
    page: NewArtifact | None
    """The page of the report."""


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """What bounds the looking at what a bundle brings: for files, and for upstreams the servers that may be asked."""

    limits: AdmissionLimits
    upstreams: AllowedUpstreams = AllowedUpstreams()
    machine: Machine = Machine()


async def bring_in(ledger: Ledger, artifacts: LocalObjects, actor: Actor, path: Path, admission: Admission) -> Imported:
    """Import a bundle for an operator.

    Raises: NotABundle, BundleDamaged, ImportRefused, NotAllowed, ModelNameRefused, CardRefused, ProviderAbsent,
    TooManyThreads, AdmissionRefused, SignatureChanged; for an upstream UpstreamNotAllowed, UpstreamUnavailable,
    UpstreamTooSlow, UpstreamSignatureWrong.
    """
    with TemporaryDirectory(prefix="import-", dir=path.parent) as folder:
        unpacked = await asyncio.to_thread(unpack, path, Path(folder))
        name = unpacked.manifest.model
        check_name(name)
        async with ledger.reading() as r:
            model = await find_model(r, actor.tenant_id, name)
            require_operator(actor, model.id if model is not None else None)
            before = await imported_as(r, actor.tenant_id, name, unpacked.bundle)
        if before is not None:
            return _told(unpacked, before)
        adding = _adding(actor, unpacked, Path(folder))
        if unpacked.upstream is not None:
            admitted = await _admit_upstream(ledger, adding, unpacked, unpacked.upstream, admission.upstreams)
        else:
            admitted = await admit_into(artifacts, adding, unpacked.card, admission.limits, admission.machine)
        ready = await _prepare(artifacts, actor, unpacked, admitted, Path(folder))
    return await insisting(ledger, lambda w: _write(w, ready))


def _adding(actor: Actor, unpacked: Unpacked, folder: Path) -> Adding:
    recipe = unpacked.recipe
    return Adding(
        tenant_id=actor.tenant_id,
        name=unpacked.manifest.model,
        file=None if unpacked.upstream is not None else folder / unpacked.entry(MODEL).sha256,
        card="",
        by=actor.by,
        recipe=None if recipe is None else _declared(msgspec.structs.replace(recipe, trained="elsewhere", run=None)),
        overrides=unpacked.overrides,
        founded=FOUNDED,
    )


async def _admit_upstream(
    ledger: Ledger, adding: Adding, unpacked: Unpacked, upstream: Upstream, allowed: AllowedUpstreams
) -> Admitted:
    """The upstream as it was described, admitted anew: it must still tell the tensors that it told then."""
    admitted = await admitted_elsewhere(ledger, adding, unpacked.card, upstream, allowed)
    told, described = admitted.report.signature, upstream.signature
    if (told.inputs, told.outputs) != (described.inputs, described.outputs):
        why = f"{upstream.address} takes or gives other tensors here than its description says."
        raise ImportRefused(release=unpacked.manifest.release, why=why)
    return msgspec.structs.replace(admitted, upstream=upstream)


async def _prepare(
    artifacts: LocalObjects, actor: Actor, unpacked: Unpacked, admitted: Admitted, folder: Path
) -> _Ready:
    """Keep every file; nothing is in the ledger yet."""
    files = [
        _artifact(path, role, await artifacts.put_file(folder / digest)) for path, role, digest in _stored(unpacked)
    ]
    page = None
    if unpacked.report is not None:
        # A stranger's page is not shown under this address: it is made anew from the report's figures.
        page = _artifact(PAGE, "report", await artifacts.put(report_html(unpacked.report).encode()))
        files.append(page)
    return _Ready(actor=actor, unpacked=unpacked, admitted=admitted, files=tuple(files), page=page)


def _stored(unpacked: Unpacked) -> Iterator[tuple[str, str, str]]:
    """Path, role and digest of what is kept beside the model file."""
    for entry in unpacked.manifest.files:
        if entry.role in STORED and entry.path not in (MODEL, PAGE):
            yield entry.path, entry.role, entry.sha256


def _artifact(path: str, role: str, stored: StoredObject) -> NewArtifact:
    name = path.rpartition("/")[2]
    default = PARQUET if name.endswith(".parquet") else "application/octet-stream"
    media_type = MEDIA_TYPES.get(path) or MEDIA_TYPES.get(name, default)
    return NewArtifact(**msgspec.structs.asdict(stored), kind=KINDS[role], media_type=media_type)


async def _write(w: WriteSession, ready: _Ready) -> Imported:
    """Write everything in the running transaction, unless somebody else has done so meanwhile."""
    actor, unpacked = ready.actor, ready.unpacked
    model = unpacked.manifest.model
    await lock_model(w, actor.tenant_id, model)
    before = await imported_as(w, actor.tenant_id, model, unpacked.bundle)
    if before is not None:
        return _told(unpacked, before)
    written, at_us = await write_admitted(w, ready.admitted), await w.now_us()
    for file in ready.files:
        await keep_artifact(w, file, at_us)
    for folder in unpacked.datasets:
        await _keep_dataset(w, ready, written, folder, at_us)
    await attach(w, written.release_id, _learned(unpacked))
    if unpacked.report is not None and ready.page is not None:
        await _keep_evaluation(w, unpacked, unpacked.report, ready.page, written, at_us)
    data = {"release": written.added.release, "came_as": unpacked.manifest.release, "bundle": unpacked.bundle}
    await append_event(
        w, "release.imported", f"model:{model}", data, by=actor.by, tenant_id=actor.tenant_id, at_us=at_us
    )
    return _told(unpacked, written.added.release, written)


def _learned(unpacked: Unpacked) -> dict[AttachedRole, str]:
    if "data" not in unpacked.datasets:
        return {}
    return {
        "data": unpacked.entry("data/manifest.json").sha256,
        "annotations": unpacked.entry("data/annotations.parquet").sha256,
    }


async def _keep_dataset(w: WriteSession, ready: _Ready, written: Written, folder: str, at_us: int) -> None:
    """The row of a dataset, unless it is there as one of this model. Raises: ImportRefused."""
    digest, manifest = ready.unpacked.entry(f"{folder}/manifest.json").sha256, ready.unpacked.datasets[folder]
    new = NewDataset(
        sha256=digest, tenant_id=ready.actor.tenant_id, model_id=written.model.id, model=written.model.name,
        manifest=ready.unpacked.texts[folder], items=manifest.items.rows, by=ready.actor.by, at_us=at_us,
    )  # fmt: skip
    if await insert_dataset(w, new):
        return
    known = await find_dataset(w, ready.actor.tenant_id, digest)
    if known is None or known[1] != written.model.name:
        why = f"its dataset {digest[:12]} is here already, as that of another model."
        raise ImportRefused(release=ready.unpacked.manifest.release, why=why)


async def _keep_evaluation(
    w: WriteSession, unpacked: Unpacked, report: Report, page: NewArtifact, written: Written, at_us: int
) -> None:
    """The evaluation as it was made; its baseline is no release of this place."""
    subject = unpacked.manifest.file(SUBJECT)
    summary = Summary(
        held_out=report.held_out,
        overlap=report.overlap if report.overlap_known else None,
        scores=report.candidate.scores,
        comparisons=report.comparisons,
        html=page.sha256,
        inputs=subject.sha256 if subject is not None else "",
        elsewhere=told_elsewhere(report.candidate, report.champion),
        beside=report.champion.release if report.champion is not None else "",
    )
    new = NewEvaluation(
        release_id=written.release_id, dataset=report.dataset, scores=msgspec.json.encode(summary).decode(),
        report=unpacked.entry(REPORT).sha256, baseline_id=None, narrative="\n".join(report.narrative),
        seed=report.seed, created_us=at_us,
    )  # fmt: skip
    await insert_evaluation(w, new)
    await attach_report(w, new)


def _declared(record: msgspec.Struct) -> str:
    return msgspec.json.encode(record).decode()


def _told(unpacked: Unpacked, release: str, written: Written | None = None) -> Imported:
    return Imported(
        bundle=unpacked.bundle,
        came_as=unpacked.manifest.release,
        release=release,
        new=written is not None,
        founding=written is not None and written.added.founding,
        warnings=written.added.warnings if written is not None else (),
    )
