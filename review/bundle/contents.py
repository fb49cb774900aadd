"""Collects what the bundle of a release holds: each file with its bytes or its digest, and what is absent and why."""

from hashlib import sha256

import msgspec

from gateway.record.payloads import ObjectStore
from gateway.store.ledger import ReadSession
from gateway.store.models import described_upstream, model_file_of
from gateway.store.schema.learning import EvaluationRow
from gateway.store.schema.serves import ModelRow, ReleaseRow, VersionRow
from gateway.store.serving import release_plan
from review.bundle.manifest import FORMAT, Absent, Entry, Manifest, Role
from review.bundle.records import release_record, served_records, trial_records
from review.learning.manifest import read_manifest as read_dataset
from review.learning.recipe import TrainingRecord
from review.learning.report import Summary
from review.learning.reporting import Subject, read_subject
from review.store.bundles import bodies_of, dataset_manifest, sizes_of
from review.store.evaluations import report_of
from review.store.releases import attached_to, version_of


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a bundle: its bytes, or the digest of the stored artifact that it is."""

    path: str
    role: Role
    data: bytes | None = None
    artifact: str = ""

    @property
    def sha256(self) -> str:
        """The digest of its bytes."""
        return self.artifact if self.data is None else sha256(self.data).hexdigest()


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that is ready to be written: its manifest, and its parts in the order of the manifest's files."""

    manifest: Manifest
    parts: tuple[Part, ...]


class _Gathering:
    """What was found so far."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.absent: list[Absent] = []

    def write(self, path: str, role: Role, value: object) -> None:
        """Add a value as JSON, the same bytes each time."""
        self.parts.append(Part(path=path, role=role, data=msgspec.json.encode(value, order="deterministic")))

    def text(self, path: str, role: Role, text: str) -> None:
        """Add a text to the byte."""
        self.parts.append(Part(path=path, role=role, data=text.encode()))

    def stored(self, path: str, role: Role, digest: str) -> None:
        """Add a stored artifact."""
        self.parts.append(Part(path=path, role=role, artifact=digest))

    def lacks(self, why: str, *roles: Role) -> None:
        """Say that something is not there."""
        self.absent.extend(Absent(role=role, why=why) for role in roles)


async def contents_of(r: ReadSession, artifacts: ObjectStore, model: ModelRow, release: ReleaseRow) -> Contents:
    """Everything that belongs to a release; the same release and history give the same contents."""
    found, version = _Gathering(), await version_of(r, release)
    found.write("release.json", "release", await release_record(r, model, release, version))
    await _documents(found, r, model, release, version)
    data = await _data(found, r, release)
    await _evaluation(found, r, artifacts, release, version, data)
    await _history(found, r, model, release)
    await _recipe(found, r, version)
    return await _ordered(r, found, model, release)


async def _recipe(found: _Gathering, r: ReadSession, version: VersionRow) -> None:
    """How the version was trained; where that was here, with the files that ran and what they printed."""
    if version.recipe is None:
        found.lacks("Nobody said how the version was trained.", "recipe")
        return
    found.text("recipe.json", "recipe", version.recipe)
    record = msgspec.json.decode(version.recipe, type=TrainingRecord)
    if record.run is None:
        return
    named = {record.run.log: "recipe/log.txt"} | {file.sha256: f"recipe/{file.sha256}" for file in record.recipe.files}
    for digest in await sizes_of(r, list(named)):
        found.stored(named[digest], "recipe", digest)


async def _documents(
    found: _Gathering, r: ReadSession, model: ModelRow, release: ReleaseRow, version: VersionRow
) -> None:
    """The model file, and every document to the byte, so that its digest is the one that the ledger names."""
    if version.artifact:
        found.stored("model.onnx", "model", version.artifact)
    elif (upstream := described_upstream(version)) is not None:
        found.parts.append(Part(path="upstream.json", role="upstream", data=upstream.description))
        found.lacks(
            f"The version is a model on another server, {upstream.address}, that nobody can take along.", "model"
        )
    found.write("card.json", "card", (await release_plan(r, model.name, release.id)).card)
    found.text("admission.json", "admission", version.admission_report)
    bodies = await bodies_of(r, release)
    found.text("policy.json", "policy", bodies.policy)
    found.text("label_schema.json", "label_schema", bodies.label_schema)
    found.text("guideline.md", "guideline", bodies.guideline)
    found.text("overrides.json", "overrides", release.overrides)


async def _data(found: _Gathering, r: ReadSession, release: ReleaseRow) -> str:
    """The dataset that the release learned from; its digest, or nothing where none is attached."""
    attached = [each.sha256 for each in await attached_to(r, release.id) if each.role == "data"]
    for digest in attached:
        if await _dataset(found, r, digest, "data", "data"):
            return digest
    found.lacks("No training data is attached to the release.", "data", "annotations")
    return ""


async def _dataset(found: _Gathering, r: ReadSession, digest: str, folder: str, role: Role) -> bool:
    """The three files of a dataset; False where the digest is that of another file."""
    text = await dataset_manifest(r, digest)
    if text is None:
        return False
    manifest = read_dataset(text)
    found.stored(f"{folder}/manifest.json", role, digest)
    found.stored(f"{folder}/items.parquet", role, manifest.items.sha256)
    history: Role = "annotations" if role == "data" else role
    found.stored(f"{folder}/annotations.parquet", history, manifest.annotations.sha256)
    return True


async def _evaluation(
    found: _Gathering, r: ReadSession, artifacts: ObjectStore, release: ReleaseRow, version: VersionRow, data: str
) -> None:
    """The release's own report with everything that it takes to make it again."""
    row = await report_of(r, release.id)
    if row is None or row.report is None:
        found.lacks("The release was not evaluated.", "report", "subject", "measured", "baseline")
        return
    summary = _summary(row)
    found.stored("evaluation/report.json", "report", row.report)
    found.stored("evaluation/report.html", "report", summary.html)
    if row.dataset == data:
        found.lacks(
            "The report was made on the data that the release learned from, on what is held out of it.", "measured"
        )
    else:
        await _dataset(found, r, row.dataset, "evaluation/data", "measured")
    if not summary.inputs:
        found.lacks("The report is older than the keeping of what it rests on.", "subject", "baseline")
        return
    found.stored("evaluation/subject.json", "subject", summary.inputs)
    subject = read_subject(await artifacts.get(summary.inputs))
    _baseline(found, subject, version)
    _heard(found, subject)


def _heard(found: _Gathering, subject: Subject) -> None:
    """What the releases of a report said on other servers."""
    for name, release in zip(("candidate", "champion"), subject.releases, strict=False):
        if release.upstream is not None:
            found.stored(f"evaluation/{name}-heard.json", "heard", subject.heard[release.name])


def _baseline(found: _Gathering, subject: Subject, version: VersionRow) -> None:
    if subject.champion is None:
        found.lacks("The report compares with no champion.", "baseline")
    elif subject.champion.upstream is not None:
        found.lacks(
            "The champion that the report compares with runs on another server; what it said is here.", "baseline"
        )
    elif subject.champion.artifact == model_file_of(version):
        found.lacks("The champion that the report compares with has the same model file.", "baseline")
    else:
        found.stored("evaluation/champion.onnx", "baseline", subject.champion.artifact)


async def _history(found: _Gathering, r: ReadSession, model: ModelRow, release: ReleaseRow) -> None:
    if trials := await trial_records(r, model, release.id):
        found.write("trials.json", "trial", trials)
    else:
        found.lacks("The release was never on trial.", "trial")
    if served := await served_records(r, model, release):
        found.write("serving.json", "serving", served)
    else:
        found.lacks("The release never served.", "serving")


async def _ordered(r: ReadSession, found: _Gathering, model: ModelRow, release: ReleaseRow) -> Contents:
    parts = tuple(sorted(found.parts, key=lambda part: part.path))
    sizes = await sizes_of(r, [part.artifact for part in parts if part.data is None])
    entries = tuple(
        Entry(
            path=part.path, role=part.role, sha256=part.sha256,
            bytes=sizes[part.artifact] if part.data is None else len(part.data),
        )
        for part in parts
    )  # fmt: skip
    name = f"{model.name}@{release.number}"
    manifest = Manifest(format=FORMAT, model=model.name, release=name, files=entries, absent=tuple(found.absent))
    return Contents(manifest=manifest, parts=parts)


def _summary(row: EvaluationRow) -> Summary:
    return msgspec.json.decode(row.scores, type=Summary)
