"""What a model on another server said of the held-out items of a dataset, kept as a file. Pure.

Nobody can pin the bytes of a model that runs elsewhere. What can be kept is what it answered and when, what the server
told of it, and under which address; a report is made from that, and can be made again.
"""

import msgspec

from gateway.labels import Answer
from gateway.protocol.signature import Signature
from gateway.times import iso

FORMAT = "lockgate.heard/1"
MEDIA_TYPE = "application/vnd.lockgate.heard+json"

Said = tuple[Answer | None, float | None]
"""Answer and score; None where the model gives none."""


class RanElsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when a release ran, and what the server told of the model then."""

    address: str
    model: str
    """As the server calls it."""
    answered_as: str
    """The version that the answers named; empty where they named none."""
    versions: tuple[str, ...]
    """The versions that the metadata named."""
    signature: Signature
    """The tensors and the platform that the metadata told."""
    from_us: int
    until_us: int


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What a release said elsewhere, about each held-out item in the order of the items file."""

    format: str
    release: str
    items: str
    """The SHA-256 of the items file."""
    ran: RanElsewhere
    said: tuple[Said, ...]


def heard_bytes(heard: Heard) -> bytes:
    """The canonical bytes."""
    return msgspec.json.encode(heard, order="deterministic")


def read_heard(data: bytes) -> Heard:
    """What was said, from its bytes. Raises: msgspec.MsgspecError."""
    return msgspec.json.decode(data, type=Heard)


def told_of(release: str, ran: RanElsewhere) -> str:
    """The sentence that has to stand beside every figure about it."""
    version = f", version {ran.answered_as}" if ran.answered_as else ", no version told"
    return (
        f"{release} ran on another server, at {ran.address}, from {iso(ran.from_us)} to {iso(ran.until_us)}; the model "
        f"there is {ran.model or 'without a name'}{version}. Nobody can pin the bytes of a model that runs elsewhere: "
        "these figures are about what answered then."
    )
