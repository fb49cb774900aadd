"""What a dataset says about itself; its canonical bytes have the SHA-256 that is the dataset's name. Pure.

No time and no name of who froze it stand here: the same outcomes make the same bytes.
"""

from collections.abc import Mapping

import msgspec

from gateway.labels import LabelSchema

FORMAT = "lockgate.dataset/1"
MEDIA_TYPE = "application/vnd.lockgate.dataset+json"
PARQUET = "application/vnd.apache.parquet"


class Warned(msgspec.Struct, frozen=True, kw_only=True):
    """Something about the outcomes that a reader should know; it did not keep them from being frozen."""

    name: str
    count: int
    says: str
    examples: tuple[str, ...] = ()
    """Some of the items, as prediction and item."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A Parquet file of the dataset."""

    sha256: str
    bytes: int
    rows: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a dataset holds."""

    format: str
    model: str
    labels: LabelSchema
    items: File
    annotations: File
    splits: Mapping[str, int]
    kinds: Mapping[str, int]
    sources: Mapping[str, int]
    classes: Mapping[str, int]
    """How often each answer was given; empty for numbers and texts."""
    slices: tuple[str, ...]
    left_out: Mapping[str, int]
    """Items with an outcome that are not here, by why."""
    warnings: tuple[Warned, ...]


def manifest_bytes(manifest: Manifest) -> bytes:
    """The canonical bytes."""
    return msgspec.json.encode(manifest, order="deterministic")


def read_manifest(text: str | bytes) -> Manifest:
    """The manifest in its bytes. Raises: msgspec.MsgspecError."""
    return msgspec.json.decode(text, type=Manifest)
