"""Keys of services, of CI and of people's command lines: 256 random bits, shown once, kept as a hash."""

import hashlib
import re
import secrets

import msgspec

from gateway.errors import GatewayError

PREFIX = "lg_"
RANDOM_BYTES = 32
HINT_CHARACTERS = 8
MODEL_VERBS = ("predict", "read", "pin", "truth")
"""Scopes that name a model, as `predict:sentiment` or `predict:*`."""
PLAIN_SCOPES = ("review", "operate", "audit", "admin")
"""Scopes that open `/api/v1` to a key that belongs to nobody, such as CI's."""
_SCOPE = re.compile(rf"(?:{'|'.join(MODEL_VERBS)}):(?:\*|[a-z0-9][a-z0-9_-]{{0,62}})|{'|'.join(PLAIN_SCOPES)}")


class UnknownScope(GatewayError):
    """'{scope}' is not a scope: write predict:MODEL, read:MODEL, pin:MODEL or truth:MODEL (MODEL or *), or one of
    review, operate, audit, admin."""

    status = 400
    code = "unknown-scope"


class MadeKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new key: its text is shown once and kept nowhere."""

    text: str
    sha256: str
    hint: str


def make_key() -> MadeKey:
    """A fresh key of 256 random bits."""
    text = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    return MadeKey(text=text, sha256=digest(text), hint=text[:HINT_CHARACTERS])


def digest(text: str) -> str:
    """The SHA-256 under which a key, a cookie or an invitation is kept, in hexadecimal.

    A plain hash is enough: these are random, so there is nothing to guess from it.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def bearer(header: str | None) -> str | None:
    """The key in an Authorization header; None when there is none of ours."""
    scheme, _, text = (header or "").partition(" ")
    text = text.strip()
    return text if scheme.lower() == "bearer" and text.startswith(PREFIX) else None


def check_scopes(scopes: list[str]) -> tuple[str, ...]:
    """The scopes, each once and in order. Raises: UnknownScope."""
    for scope in scopes:
        if not _SCOPE.fullmatch(scope):
            raise UnknownScope(scope=scope)
    return tuple(dict.fromkeys(scopes))
