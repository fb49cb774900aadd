"""What goes back to a caller: status, headers and body, ready to be sent."""

from hashlib import sha256

import msgspec

from gateway.errors import GatewayError

Headers = tuple[tuple[str, str], ...]

JSON: Headers = (("Content-Type", "application/json"),)
"""Exactly this: a charset behind it makes the kserve client drop the text of an error."""


class Reply(msgspec.Struct, frozen=True):
    """An HTTP answer."""

    status: int
    headers: Headers
    body: bytes
    tensors: tuple[memoryview, ...] = ()
    """What follows the body: raw tensors, not joined with it."""

    @property
    def size(self) -> int:
        """How many bytes are sent."""
        return len(self.body) + sum(map(len, self.tensors))

    @property
    def whole(self) -> bytes:
        """All that is sent, in one piece."""
        return b"".join((self.body, *self.tensors))

    @property
    def digest(self) -> str:
        """The SHA-256 of all that is sent, as a delivery records it."""
        digest = sha256(self.body)
        for tensor in self.tensors:
            digest.update(tensor)
        return digest.hexdigest()

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of an error under `/v2`: the text that clients show, with RFC 9457's fields beside it."""

    error: str
    type: str
    title: str
    status: int
    detail: str
    instance: str = ""


def problem_type(code: str) -> str:
    """The URI that names a kind of error: its place in the documentation."""
    return f"/docs/errors#{code}"


def error_reply(error: GatewayError, *, instance: str = "", headers: Headers = ()) -> Reply:
    """The error as `/v2` tells it, with `Retry-After` where a retry makes sense."""
    problem = Problem(
        error=str(error),
        type=problem_type(error.code),
        title=error.code.replace("-", " ").capitalize(),
        status=error.status,
        detail=str(error),
        instance=instance,
    )
    if error.retry_after_s is not None:
        headers = (*headers, ("Retry-After", str(max(1, round(error.retry_after_s)))))
    return Reply(error.status, JSON + headers, msgspec.json.encode(problem))
