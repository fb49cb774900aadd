"""A prediction request as it came in, with its caller known."""

from collections.abc import Awaitable, Callable

import msgspec

from gateway.holding.asked import RawHeaders
from gateway.plan import Caller
from gateway.protocol.binary import Body


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What the HTTP entry hands to the pipeline."""

    caller: Caller
    model: str
    version: str | None
    headers: RawHeaders
    body: Body
    left: Callable[[], Awaitable[object]]
    """Returns when the caller has hung up; a wait for a person ends with it."""
    json_bytes: int | None = None
    """Where the JSON of the body ends and binary data begins; none where all of it is JSON."""

    @property
    def route(self) -> str:
        """What an Idempotency-Key belongs to beside its caller."""
        return f"infer/{self.model}/{self.version or ''}"
