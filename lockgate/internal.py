"""The key that the processes of one installation know each other by: a setting, or a file in the data directory they
share."""

import os
import secrets
from pathlib import Path

from lockgate.settings import Settings

FILE = "internal.key"
KEY_BYTES = 32


def internal_key(settings: Settings) -> str:
    """The key that was set, or the file's, made now unless it is there; only the server's own user can read it."""
    if settings.internal_key:
        return settings.internal_key
    path = settings.data_directory / FILE
    if not path.exists():
        _make(path)
    return path.read_text(encoding="ascii")


def _make(path: Path) -> None:
    """Write a key under a name of its own and link it: of several processes that do so at once, one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{FILE}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(fresh, flags, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES))
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        return
    finally:
        fresh.unlink()
