"""What a bundle says about itself: every file with its role, size and SHA-256, and what is absent and why. Pure.

The manifest's own SHA-256 is the name of the bundle: no time and no name of who took it stand here, so that the same
release makes the same bytes.
"""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

FORMAT = "lockgate.bundle/1"
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
NAME_MAX_CHARACTERS = 100
FILES_MAX = 200
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")

Role = Literal[
    "release", "model", "card", "admission", "policy", "label_schema", "guideline", "overrides", "data", "annotations",
    "report", "subject", "heard", "measured", "baseline", "recipe", "trial", "serving", "upstream",
]  # fmt: skip


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the bundle."""

    path: str
    role: Role
    bytes: int
    sha256: str


class Absent(msgspec.Struct, frozen=True, kw_only=True):
    """What this release does not have, and why."""

    role: Role
    why: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle holds."""

    format: str
    model: str
    release: str
    """Such as `sentiment@7`, as it was called where the bundle was taken."""
    files: tuple[Entry, ...]
    absent: tuple[Absent, ...]

    def file(self, path: str) -> Entry | None:
        """The file with this path."""
        return next((entry for entry in self.files if entry.path == path), None)


def manifest_bytes(manifest: Manifest) -> bytes:
    """The canonical bytes, indented for those who open the archive."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=2) + b"\n"


def read_manifest(data: bytes) -> Manifest:
    """The manifest in its bytes. Raises: msgspec.MsgspecError."""
    return msgspec.json.decode(data, type=Manifest)


def sums_bytes(files: Sequence[Entry], manifest_sha256: str) -> bytes:
    """The text that `sha256sum -c` reads: every file with its digest, the manifest first."""
    lines = [(manifest_sha256, MANIFEST), *((entry.sha256, entry.path) for entry in files)]
    return "".join(f"{sha256}  {path}\n" for sha256, path in lines).encode()


def is_plain_name(path: str) -> bool:
    """Whether a path stays below its folder on every system: no root, no `..`, no hidden name, no odd character."""
    return len(path) <= NAME_MAX_CHARACTERS and _NAME.fullmatch(path) is not None
