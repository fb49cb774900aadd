"""A prediction request as it came in, with its caller known."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec

from gateway.holding.asked import RawHeaders
from gateway.plan import Caller
from gateway.protocol.binary import Body
from gateway.protocol.datatypes import Tensor
from gateway.protocol.decode import InferenceRequest, RequestDecoder


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What was done already for a request that was plain at first; nothing of it is done a second time."""

    draws: tuple[float, ...] = ()
    """One an item. Uniform in [0, 1)."""
    capture_draw: float | None = None
    """Whether its payloads are kept. Uniform in [0, 1)."""
    release: UUID | None = None
    """What has run."""
    outputs: dict[str, Tensor] = {}
    """What the run came to."""


NOTHING_BEGUN = Begun()


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
    begun: Begun = NOTHING_BEGUN

    def read(self, decoder: RequestDecoder) -> InferenceRequest:
        """The request in the body. Raises: ProtocolError."""
        return decoder.decode(self.body, self.json_bytes)

    @property
    def route(self) -> str:
        """What an Idempotency-Key belongs to beside its caller."""
        return f"infer/{self.model}/{self.version or ''}"
