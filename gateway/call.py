"""A prediction request as it came in, with its caller known."""

from collections.abc import Awaitable, Callable

import msgspec

from gateway.holding.asked import RawHeaders
from gateway.plan import Caller
from gateway.protocol.binary import Body
from gateway.protocol.decode import InferenceRequest, RequestDecoder


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a listener hands to the pipeline."""

    caller: Caller
    model: str
    version: str | None
    headers: RawHeaders
    body: Body
    left: Callable[[], Awaitable[object]]
    """Returns when the caller has hung up; a wait for a person ends with it."""
    json_bytes: int | None = None
    """Where the JSON of the body ends and binary data begins; none where all of it is JSON."""
    deadline_s: float | None = None
    """What is left until the caller gives up by itself; a wait for a person ends before that."""

    def read(self, decoder: RequestDecoder) -> InferenceRequest:
        """The request in the body. Raises: ProtocolError."""
        return decoder.decode(self.body, self.json_bytes)

    draws: tuple[float, ...] = ()
    """One an item, where they were drawn already: nothing is drawn a second time. Uniform in [0, 1)."""

    @property
    def route(self) -> str:
        """What an Idempotency-Key belongs to beside its caller."""
        return f"infer/{self.model}/{self.version or ''}"
