"""A process's own local file of one value, written whole or not at all, and readable by nobody else."""

import os
from pathlib import Path
from typing import TypeVar

import msgspec

Value = TypeVar("Value")


def write_whole(path: Path, value: object) -> None:
    """Put the value in the place of the one before. Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.msgpack.encode(value))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_whole(path: Path, kind: type[Value]) -> Value | None:
    """The value in a file; None when there is none that this version can read."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return None
