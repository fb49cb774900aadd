"""SHA-256 of the few bytes that a plain request has. Pure.

OpenSSL looks an algorithm up by its name for each new hash, which takes longer than hashing a hundred bytes. A copy of
a hash that has been begun needs no looking up.
"""

from hashlib import sha256
from typing import Final

_BEGUN: Final = sha256()


def hex_digest(data: bytes) -> str:
    """The digest in hexadecimal digits."""
    begun = _BEGUN.copy()
    begun.update(data)
    return begun.hexdigest()


def digest(data: bytes) -> bytes:
    """The digest's 32 bytes."""
    begun = _BEGUN.copy()
    begun.update(data)
    return begun.digest()
