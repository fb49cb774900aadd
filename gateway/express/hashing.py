"""SHA-256 of the few bytes that a plain request has. Pure.

OpenSSL looks an algorithm up by its name for each new hash, which takes longer than hashing a hundred bytes. A copy of
a hash that has been begun needs no looking up.
"""

from hashlib import sha256
from typing import Any, Final

_BEGUN: Final = sha256()


def begun() -> Any:
    """A hash of nothing yet."""
    return _BEGUN.copy()


def hex_digest(data: bytes) -> str:
    """The digest in hexadecimal digits."""
    made = _BEGUN.copy()
    made.update(data)
    return made.hexdigest()


def digest(data: bytes) -> bytes:
    """The digest's 32 bytes."""
    made = _BEGUN.copy()
    made.update(data)
    return made.digest()
