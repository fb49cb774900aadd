"""What can go wrong in the gateway, as one tree.

A class's docstring is its message, with the fields of the instance in braces; `status` is the HTTP status, `code` is
stable and part of the public contract (docs/errors.md). Texts carry no path, stack, class name or driver message; the
cause stays in `__cause__`.
"""

from typing import ClassVar


class GatewayError(Exception):
    """Something went wrong in the gateway."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    retry_after_s: float | None = None

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(_sentence(type(self).__doc__).format(**fields))


def _sentence(docstring: str | None) -> str:
    """The docstring on one line."""
    return " ".join((docstring or "").split())


class BadRequest(GatewayError):
    """The request cannot be understood."""

    status = 400
    code = "bad-request"


class Unauthenticated(GatewayError):
    """A valid key is needed: send 'Authorization: Bearer lg_…'."""

    status = 401
    code = "unauthenticated"


class Forbidden(GatewayError):
    """This key lacks the scope '{scope}'."""

    status = 403
    code = "forbidden"


class NotFound(GatewayError):
    """There is nothing here."""

    status = 404
    code = "not-found"


class UnknownModel(NotFound):
    """No model named '{model}' is served here."""

    code = "unknown-model"


class UnknownVersion(NotFound):
    """Model '{model}' serves no version '{version}'."""

    code = "unknown-version"


class UnknownPrediction(NotFound):
    """No prediction with this id can be read with this key."""

    code = "unknown-prediction"


class Conflict(GatewayError):
    """The state has changed meanwhile; read it again."""

    status = 409
    code = "conflict"


class Gone(GatewayError):
    """This prediction was {why} and is no longer kept."""

    status = 410
    code = "gone"


class ExtensionNotServed(GatewayError):
    """Triton's extension '{extension}' is not served here; docs/protocol.md says what is."""

    status = 501
    code = "extension-not-served"


class Unavailable(GatewayError):
    """The gateway cannot answer now."""

    status = 503
    code = "unavailable"
    retry_after_s = 1.0


class LedgerUnavailable(Unavailable):
    """The ledger cannot be reached, and this request needs a person; try again."""

    code = "ledger-unavailable"
    retry_after_s = 2.0


class ModelNotReady(Unavailable):
    """Model '{model}' is not ready."""

    code = "model-not-ready"
