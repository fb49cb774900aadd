"""The local file of the flags that a gateway fetched: what it boots from, and what the ledger still has to be told."""

import os
from pathlib import Path

import msgspec

from flags.store import StoredState


class KeptFlags(msgspec.Struct, frozen=True, kw_only=True):
    """The latest state, known to be so at `known_us`, and the states that the ledger may lack, the oldest first."""

    latest: StoredState
    known_us: int
    unkept: tuple[StoredState, ...]


def write_kept(path: Path, kept: KeptFlags) -> None:
    """Put this in place of what was kept before, whole or not at all. Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.msgpack.encode(kept))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_kept(path: Path) -> KeptFlags | None:
    """What was kept in a file; None when there is nothing that this version can read."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=KeptFlags)
    except (OSError, msgspec.DecodeError):
        return None
