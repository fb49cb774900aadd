"""What the headers of a request say: who sends it, whether it is plain, and where its JSON ends. Pure."""

from typing import NamedTuple

from gateway.protocol.binary import LENGTH_HEADER

Headers = list[tuple[bytes, bytes]]

_NOT_PLAIN = frozenset({b"prefer", b"idempotency-key", b"lockgate-context", b"content-encoding"})
"""Headers that ask for something beside the answer, or say that the body is packed."""
_JSON_LENGTH = LENGTH_HEADER.lower().encode()
_DIGITS_MAX = 18


class Asking(NamedTuple):
    """What matters of the headers of a request."""

    authorization: bytes
    json_bytes: int | None
    """Where binary data begins; None where all of the body is JSON."""
    plain: bool
    """Whether nothing is asked for beside the answer."""


def asking_of(headers: Headers) -> Asking | None:
    """What they say; None where they do not say who asks."""
    authorization: bytes | None = None
    plain = True
    json_bytes: int | None = None
    for name, value in headers:
        if name in _NOT_PLAIN:
            plain = False
        elif name == b"authorization" and authorization is None:
            authorization = value
        elif name == _JSON_LENGTH:
            if json_bytes is None and value.isdigit() and len(value) <= _DIGITS_MAX:
                json_bytes = int(value)
            else:
                plain = False
    return None if authorization is None else Asking(authorization, json_bytes, plain)
