"""The local file of the flags that a gateway fetched: what it boots from, and what the ledger still has to be told."""

from pathlib import Path

import msgspec

from flags.store import StoredState
from gateway.registry.local_file import read_whole, write_whole


class KeptFlags(msgspec.Struct, frozen=True, kw_only=True):
    """The latest state, known to be so at `known_us`, and the states that the ledger may lack, the oldest first."""

    latest: StoredState
    known_us: int
    unkept: tuple[StoredState, ...]


def write_kept(path: Path, kept: KeptFlags) -> None:
    """Put this in place of what was kept before, whole or not at all. Raises: OSError."""
    write_whole(path, kept)


def read_kept(path: Path) -> KeptFlags | None:
    """What was kept in a file; None when there is nothing that this version can read."""
    return read_whole(path, KeptFlags)
