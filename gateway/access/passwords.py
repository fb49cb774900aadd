"""Passwords, kept as argon2 hashes."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from gateway.errors import GatewayError

SHORTEST = 10
LONGEST = 1000
_HASHER = PasswordHasher()


class PasswordTooShort(GatewayError):
    """A password has {shortest} to {longest} characters."""

    status = 400
    code = "password-length"


def hash_password(password: str) -> str:
    """The argon2 hash of a password; slow on purpose, so call it off the loop. Raises: PasswordTooShort."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordTooShort(shortest=SHORTEST, longest=LONGEST)
    return _HASHER.hash(password)


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody has this password")


def password_matches(password: str, kept: str | None) -> bool:
    """Whether the password is the one kept; as slow when there is none, so that names cannot be found by timing."""
    try:
        _HASHER.verify(kept or _nobodys(), password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
    return kept is not None
