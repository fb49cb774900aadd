"""What a way to an upstream can do; there is one over HTTP and one over gRPC."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gateway.protocol.datatypes import Tensor
from gateway.protocol.signature import Signature


class Transport(Protocol):
    """Connections to one model on another server, kept open between calls.

    Each call raises UpstreamUnavailable where no answer came that means anything, UpstreamAnswerWrong for one that
    cannot be read, and ModelRefusedValues where the server finds fault with the tensors.
    """

    async def metadata(self) -> Signature:
        """The signature that the server tells now. Raises: UpstreamSignatureWrong."""

    async def infer(self, feeds: Mapping[str, Tensor], outputs: Sequence[str], within_s: float) -> dict[str, Tensor]:
        """The named outputs; the server is told that nobody waits longer than `within_s` seconds."""

    async def close(self) -> None:
        """Close the connections."""
