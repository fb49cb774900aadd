"""Verifies a bundle offline: its manifest against every file. Blocking, for threads and commands."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from zipfile import ZipFile

import msgspec

from review.bundle.archive import digest_in, manifest_in, opened
from review.bundle.errors import BundleDamaged
from review.bundle.manifest import MANIFEST, SUMS, Absent, Manifest, Role, sums_bytes

UNPROVEN: dict[Role, str] = {
    "upstream": "Its model runs on another server: upstream.json says where, and which tensors it told, and nothing "
    "here can prove which bytes answer there.",
    "heard": "What a model said on another server was written down by the Lockgate that asked it: its report follows "
    "from that, and nothing here can prove that it was said.",
}


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is not as the manifest says."""

    file: str
    fault: Literal["missing", "changed", "extra"]


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle says it is, and whether every file is as it says."""

    bundle: str
    """The SHA-256 of its manifest: the bundle's name."""
    release: str
    files: int
    bytes: int
    absent: tuple[Absent, ...]
    faults: tuple[Fault, ...]
    unproven: tuple[str, ...] = ()
    """What no file of it can prove, in sentences."""

    @property
    def whole(self) -> bool:
        """Whether nothing is missing, changed or added."""
        return not self.faults


def verify(path: Path) -> Verified:
    """The manifest compared with every file. Raises: NotABundle, OSError."""
    with opened(path) as archive:
        manifest, name = manifest_in(archive)
        return Verified(
            bundle=name,
            release=manifest.release,
            files=len(manifest.files),
            bytes=sum(entry.bytes for entry in manifest.files),
            absent=manifest.absent,
            faults=tuple(_faults(archive, manifest, name)),
            unproven=tuple(UNPROVEN[role] for role in UNPROVEN if any(role == each.role for each in manifest.files)),
        )


def require_whole(path: Path) -> Verified:
    """The bundle, of which every file is as it says. Raises: NotABundle, BundleDamaged, OSError."""
    verified = verify(path)
    if not verified.whole:
        raise BundleDamaged(faults=", ".join(f"{each.file} is {words(each)}" for each in verified.faults))
    return verified


def words(fault: Fault) -> str:
    """The fault in words."""
    return {"missing": "missing", "changed": "changed", "extra": "not in its manifest"}[fault.fault]


def _faults(archive: ZipFile, manifest: Manifest, name: str) -> Iterator[Fault]:
    found = set(archive.namelist())
    for entry in manifest.files:
        if entry.path not in found:
            yield Fault(file=entry.path, fault="missing")
        elif digest_in(archive, entry.path) != (entry.sha256, entry.bytes):
            yield Fault(file=entry.path, fault="changed")
    if SUMS not in found:
        yield Fault(file=SUMS, fault="missing")
    elif archive.getinfo(SUMS).file_size > len(sums := sums_bytes(manifest.files, name)) or archive.read(SUMS) != sums:
        yield Fault(file=SUMS, fault="changed")
    known = {MANIFEST, SUMS, *(entry.path for entry in manifest.files)}
    yield from (Fault(file=extra, fault="extra") for extra in sorted(found - known))
