"""Bundles that were changed and packed again with digests that fit, as a clever stranger would."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from gateway.record.objects import digest_of
from review.bundle.archive import manifest_in
from review.bundle.manifest import MANIFEST, SUMS, manifest_bytes, sums_bytes

Members = dict[str, bytes]


def forged(path: Path, change: Callable[[Members], None]) -> Path:
    """The bundle with changed members; the manifest and its sums say what is in it now."""
    with zipfile.ZipFile(path) as archive:
        manifest, _ = manifest_in(archive)
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    files = tuple(
        msgspec.structs.replace(entry, bytes=len(members[entry.path]), sha256=digest_of(members[entry.path]))
        for entry in manifest.files
        if entry.path in members
    )
    members[MANIFEST] = manifest_bytes(msgspec.structs.replace(manifest, files=files))
    members[SUMS] = sums_bytes(files, digest_of(members[MANIFEST]))
    other = path.with_name("forged.zip")
    with zipfile.ZipFile(other, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return other


def says(path: str, **more: object) -> Callable[[Members], None]:
    """A change of some fields of a document."""

    def change(members: Members) -> None:
        members[path] = msgspec.json.encode(msgspec.json.decode(members[path]) | more)

    return change
