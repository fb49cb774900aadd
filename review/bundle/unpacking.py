"""Unpacks a bundle that shall be imported, and refuses one that contradicts itself. Blocking, for threads.

Every digest was compared before anything is read here; what is looked at now is whether the parts belong together.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar
from zipfile import ZipFile

import msgspec

from gateway.errors import GatewayError
from gateway.inference.upstreams import Upstream, upstream_at
from gateway.labels import LabelSchema
from gateway.policy import Policy
from gateway.registry.card import CARD_MAX_BYTES, Card, card_faults
from review.bundle.archive import extract, manifest_in, opened
from review.bundle.errors import ImportRefused
from review.bundle.manifest import Entry, Manifest, Role
from review.bundle.verifying import require_whole
from review.learning.manifest import Manifest as Dataset
from review.learning.recipe import TrainingRecord
from review.learning.report import Report
from review.learning.reporting import Subject

DOCUMENT_MAX_BYTES = 16 << 20
"""The largest document that is read into memory; a report names at most some hundred items."""
STORED: tuple[Role, ...] = ("model", "data", "annotations", "report", "subject", "heard", "measured", "baseline")
"""What is kept as an artifact."""
MODEL, UPSTREAM, SUBJECT = "model.onnx", "upstream.json", "evaluation/subject.json"
REPORT, PAGE = "evaluation/report.json", "evaluation/report.html"
FOLDERS = ("data", "evaluation/data")
T = TypeVar("T")


class Unpacked(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle whose parts belong together; its stored files lie in a folder, each under its digest."""

    bundle: str
    manifest: Manifest
    card: Card
    """The version's card with the release's documents, without the overrides."""
    overrides: str
    recipe: TrainingRecord | None
    datasets: dict[str, Dataset]
    """By folder, `data` being what the release learned from."""
    texts: dict[str, str]
    """The datasets' manifests to the byte, by folder."""
    report: Report | None
    subject: Subject | None
    upstream: Upstream | None
    """Where its model runs, if no file of it is there."""

    def entry(self, path: str) -> Entry:
        """A file that is there."""
        entry = self.manifest.file(path)
        if entry is None:
            raise ImportRefused(release=self.manifest.release, why=f"it has no {path}.")
        return entry


def unpack(path: Path, folder: Path) -> Unpacked:
    """Unpack what is stored below the folder. Raises: NotABundle, BundleDamaged, ImportRefused, OSError."""
    bundle = require_whole(path).bundle
    with opened(path) as archive:
        manifest, _ = manifest_in(archive)
        try:
            unpacked = _read(archive, manifest, bundle)
        except msgspec.MsgspecError as error:
            raise ImportRefused(release=manifest.release, why=f"a document cannot be read ({error}).") from error
        if faults := " ".join(_faults(unpacked)):
            raise ImportRefused(release=manifest.release, why=faults)
        for entry in manifest.files:
            target = folder / entry.sha256
            if entry.role in STORED and not target.exists():
                extract(archive, entry.path, target)
    return unpacked


def _read(archive: ZipFile, manifest: Manifest, bundle: str) -> Unpacked:
    card = _document(archive, manifest, "card.json", Card, CARD_MAX_BYTES)
    policy = _document(archive, manifest, "policy.json", Policy)
    labels = _document(archive, manifest, "label_schema.json", LabelSchema)
    overrides = _document(archive, manifest, "overrides.json", dict[str, object])
    if card is None or policy is None or labels is None:
        raise ImportRefused(release=manifest.release, why="its card, policy or label schema is missing.")
    texts = {folder: text for folder in FOLDERS if (text := _text(archive, manifest, f"{folder}/manifest.json"))}
    return Unpacked(
        bundle=bundle,
        manifest=manifest,
        card=msgspec.structs.replace(card, policy=policy, labels=labels),
        overrides=msgspec.json.encode(overrides or {}).decode(),
        recipe=_document(archive, manifest, "recipe.json", TrainingRecord),
        datasets={folder: msgspec.json.decode(text, type=Dataset) for folder, text in texts.items()},
        texts={folder: text.decode() for folder, text in texts.items()},
        report=_document(archive, manifest, REPORT, Report),
        subject=_document(archive, manifest, SUBJECT, Subject),
        upstream=_document(archive, manifest, UPSTREAM, Upstream),
    )


def _document(
    archive: ZipFile, manifest: Manifest, path: str, kind: type[T], limit: int = DOCUMENT_MAX_BYTES
) -> T | None:
    """A document as a value; none where the bundle does not have it."""
    data = _text(archive, manifest, path, limit)
    return None if data is None else msgspec.json.decode(data, type=kind)


def _text(archive: ZipFile, manifest: Manifest, path: str, limit: int = DOCUMENT_MAX_BYTES) -> bytes | None:
    entry = manifest.file(path)
    if entry is None:
        return None
    if entry.bytes > limit:
        raise ImportRefused(release=manifest.release, why=f"{path} is larger than {limit >> 10} KiB.")
    return archive.read(path)


def _faults(unpacked: Unpacked) -> Iterator[str]:
    """Whatever does not belong together, as sentences."""
    manifest = unpacked.manifest
    if (manifest.file(MODEL) is None) == (unpacked.upstream is None):
        yield (
            "It has no model file, and no upstream." if unpacked.upstream is None else "It has a file and an upstream."
        )
    if unpacked.upstream is not None:
        yield from _upstream_faults(unpacked, unpacked.upstream)
    yield from card_faults(unpacked.card)
    try:
        msgspec.convert(msgspec.to_builtins(unpacked.card.policy) | msgspec.json.decode(unpacked.overrides), Policy)
    except msgspec.ValidationError as error:
        yield f"Its overrides do not fit its policy: {error}."
    for folder, dataset in unpacked.datasets.items():
        for name, file in (("items", dataset.items), ("annotations", dataset.annotations)):
            entry = manifest.file(f"{folder}/{name}.parquet")
            if entry is None or entry.sha256 != file.sha256:
                yield f"{folder}/{name}.parquet is not the file that {folder}/manifest.json names."
    if unpacked.report is not None:
        yield from _report_faults(unpacked, unpacked.report)


def _upstream_faults(unpacked: Unpacked, upstream: Upstream) -> Iterator[str]:
    """Its digest stands for it wherever it is named, so it is written in one way; its address is one that we would."""
    try:
        same = upstream_at(upstream.address, "").with_signature(upstream.signature) == upstream
    except GatewayError:
        same = False
    if not same or unpacked.entry(UPSTREAM).sha256 != upstream.digest:
        yield f"{UPSTREAM} does not describe an upstream as a Lockgate writes it."


def _report_faults(unpacked: Unpacked, report: Report) -> Iterator[str]:
    manifest, subject = unpacked.manifest, unpacked.subject
    entries = [manifest.file(f"{folder}/manifest.json") for folder in FOLDERS]
    if report.dataset not in {entry.sha256 for entry in entries if entry is not None}:
        yield "The dataset of its report is missing."
    model = manifest.file(MODEL) or manifest.file(UPSTREAM)
    if model is not None and report.candidate.artifact != model.sha256:
        yield "Its report is about another model file."
    if subject is None:
        return
    if (subject.candidate.model_file, subject.dataset) != (report.candidate.artifact, report.dataset):
        yield f"{SUBJECT} is about another evaluation than its report."
    files = {entry.sha256 for entry in manifest.files}
    champion = subject.champion
    if champion is not None and champion.upstream is None and champion.artifact not in files:
        yield "The model file that its report compares with is missing."
    away = [release.name for release in subject.releases if release.upstream is not None]
    if any(subject.heard.get(name) not in files for name in away):
        yield "What a release of its report said on another server is missing."
