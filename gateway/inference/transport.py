"""What a way to an upstream can do; there is one over HTTP and one over gRPC."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from gateway.inference.told_signature import ToldModel
from gateway.protocol.datatypes import Tensor


class Answered(NamedTuple):
    """What a server answered."""

    outputs: Mapping[str, Tensor]
    version: str
    """The version that answered, as the server calls it; empty where it does not say."""


class Transport(Protocol):
    """Connections to one model on another server, kept open between calls.

    Each call raises UpstreamUnavailable where no answer came that means anything, UpstreamAnswerWrong for one that
    cannot be read, and ModelRefusedValues where the server finds fault with the tensors.
    """

    async def metadata(self) -> ToldModel:
        """What the server tells of the model now. Raises: UpstreamSignatureWrong."""

    async def infer(self, feeds: Mapping[str, Tensor], outputs: Sequence[str], within_s: float) -> Answered:
        """The named outputs; the server is told that nobody waits longer than `within_s` seconds."""

    async def close(self) -> None:
        """Close the connections."""
