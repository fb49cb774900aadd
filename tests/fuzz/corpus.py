"""Requests that once found a fault, or nearly did: a file each, sent anew in every run."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from tests.fuzz.target import Sent

FOLDER = Path(__file__).parent / "corpus"


def kept() -> Iterator[tuple[str, Sent]]:
    """The kept requests by name."""
    for file in sorted(FOLDER.glob("*.json")):
        yield file.stem, msgspec.json.decode(file.read_bytes(), type=Sent)


def keep(sent: Sent, fault: str) -> Path:
    """The file in which a request now is kept, named after what was wrong."""
    said = "-".join("".join(each if each.isalnum() else " " for each in fault.lower()).split()[:6])
    file = FOLDER / f"{said}-{sha256(b''.join(sent.parts)).hexdigest()[:8]}.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(sent), indent=1) + b"\n")
    return file
