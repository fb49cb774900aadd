"""Makes the report of a bundle again, from the bundle alone, and compares it byte for byte.

The model files of a bundle are a stranger's: they are admitted in a limited child process before they are run here.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import msgspec

from gateway.errors import GatewayError
from gateway.inference.admission import admit
from gateway.record.objects import checked, digest_of, location
from gateway.record.payloads import LocalObjects
from review.bundle.archive import extract, manifest_in, opened
from review.bundle.errors import NothingToReplay
from review.bundle.manifest import Manifest, Role
from review.bundle.verifying import require_whole
from review.errors import ReviewError
from review.learning.report import report_bytes
from review.learning.reporting import Subject, make_report, read_subject

REPORT, SUBJECT = "evaluation/report.json", "evaluation/subject.json"
NEEDED: tuple[Role, ...] = ("model", "data", "measured", "baseline", "heard")
"""What an evaluation reads: model files, the items of datasets, and what was said elsewhere."""


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """A report that was made again."""

    report: str
    """The SHA-256 of the report that the bundle holds."""
    made: str
    """The SHA-256 of the one that was made from it."""
    difference: str
    """The first figure that differs; empty when both are the same bytes."""
    not_run: tuple[str, ...] = ()
    """Releases that ran on another server: what they said was read, and nobody was asked again."""


async def replay(path: Path) -> Replayed:
    """Make the report again. Raises: NotABundle, BundleDamaged, NothingToReplay, AdmissionRefused, OSError."""
    await asyncio.to_thread(require_whole, path)
    with TemporaryDirectory(prefix="lockgate-replay-") as folder:
        subject, report = await asyncio.to_thread(_unpack, path, Path(folder))
        artifacts = LocalObjects(Path(folder))
        try:
            for digest in _model_files(subject):
                await admit(await artifacts.local_path(digest))
            made = report_bytes(await make_report(subject, artifacts))
        except (GatewayError, ReviewError, ValueError, LookupError) as error:
            raise NothingToReplay(why=str(error)) from error
    return Replayed(
        report=digest_of(report),
        made=digest_of(made),
        difference=difference(report, made),
        not_run=tuple(release.name for release in subject.releases if release.upstream is not None),
    )


def difference(before: bytes, after: bytes) -> str:
    """The first place in which two reports differ, with both values; empty when they are the same bytes. Pure."""
    if before == after:
        return ""
    found = _differences(msgspec.json.decode(before), msgspec.json.decode(after), "")
    return next(found, "the same figures, written in another way")


def _unpack(path: Path, folder: Path) -> tuple[Subject, bytes]:
    """Put what an evaluation reads below the folder, each file under its digest; what it rests on, and its report."""
    with opened(path) as archive:
        manifest, _ = manifest_in(archive)
        subject, report = _read(archive, manifest, SUBJECT), _read(archive, manifest, REPORT)
        for entry in manifest.files:
            target = folder / location(checked(entry.sha256))
            if entry.role in NEEDED and not target.exists():
                extract(archive, entry.path, target)
    try:
        return read_subject(subject), report
    except msgspec.MsgspecError as error:
        raise NothingToReplay(why=f"{SUBJECT} cannot be read ({error}).") from error


def _read(archive: ZipFile, manifest: Manifest, path: str) -> bytes:
    if manifest.file(path) is None:
        reasons = {absent.role: absent.why for absent in manifest.absent}
        raise NothingToReplay(why=reasons.get("report") or reasons.get("subject") or f"it has no {path}.")
    return archive.read(path)


def _model_files(subject: Subject) -> list[str]:
    return list(dict.fromkeys(release.artifact for release in subject.releases if release.upstream is None))


def _differences(before: object, after: object, place: str) -> Iterator[str]:
    """Every place in which two JSON values differ, in their order."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            yield from _differences(before.get(name), after.get(name), f"{place}.{name}" if place else name)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _differences(one, other, f"{place}[{at}]")
    elif before != after:
        yield f"{place}: {_shown(before)} in the bundle, {_shown(after)} made again"


def _shown(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:79]}…"
