"""Heads that a connection sends again: a client's requests differ in their bodies, and at most in how long those are.

The parser reads a head once. As long as the next chunk of the connection begins with the same bytes, but for the
digits of the length, and is exactly one request or the beginning of a large one, there is nothing in it that the parser
has not said already.
"""

from typing import Any, Final, Self

Headers = list[tuple[bytes, bytes]]

WHOLE_MAX_BYTES: Final = 65_536
"""A body that is longer is no small request."""
HEAD_MAX_BYTES: Final = 4096
"""A head that is longer is not kept, so that many connections do not keep much."""
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length"
_DIGITS_MAX: Final = 9


class KnownHead:
    """The head of a request of which its connection may see more: small and whole in one chunk, or large."""

    __slots__ = ("_after", "_before", "_digits", "_headers", "seen", "target")

    def __init__(self, target: bytes, headers: Headers, before: bytes, digits: bytes, after: bytes) -> None:
        self.target = target
        self.seen: Any = None
        """What the application has found out about it."""
        self._headers = headers
        self._before = before
        self._digits = digits
        self._after = after

    @classmethod
    def of(cls, chunk: bytes, target: bytes, headers: Headers, length: int) -> Self | None:
        """The head of a chunk that the parser has read as one request, or its beginning; None where it is unusual."""
        end = chunk.find(_END) + len(_END)
        if not _fits(len(chunk) - end, length) or end > HEAD_MAX_BYTES:
            return None
        digits = b"%d" % length
        line = b"\r\n" + _LENGTH + b": " + digits + b"\r\n"
        at = chunk[:end].lower().find(line)
        if at < 0 or sum(name == _LENGTH for name, _ in headers) != 1:
            return None
        begins = at + len(line) - len(digits) - 2
        return cls(target, list(headers), chunk[:begins], digits, chunk[begins + len(digits) : end])

    def read(self, chunk: bytes) -> tuple[Headers, int, int] | None:
        """The headers, the length of the body and where that begins, of a chunk that is one request with this head.

        A large body may still come in part. None where the chunk is anything else.
        """
        if not chunk.startswith(self._before):
            return None
        at = len(self._before)
        end = chunk.find(b"\r", at, at + _DIGITS_MAX + 1)
        digits = chunk[at:end]
        if end < 0 or not digits.isdigit() or not chunk.startswith(self._after, end):
            return None
        begins, length = end + len(self._after), int(digits)
        if not _fits(len(chunk) - begins, length):
            return None
        return self._headers if digits == self._digits else self._with(digits), length, begins

    def _with(self, digits: bytes) -> Headers:
        """The headers with another length."""
        return [(name, digits if name == _LENGTH else value) for name, value in self._headers]


def _fits(came: int, length: int) -> bool:
    """Whether so much of a body is all of it, or may be the beginning of a large one."""
    return came == length or WHOLE_MAX_BYTES < length > came
