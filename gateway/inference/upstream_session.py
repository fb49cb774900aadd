"""A model that runs on another server, as a session: bounded in time, behind a circuit, its answers checked."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from time import monotonic
from uuid import UUID

from gateway.errors import GatewayError
from gateway.inference.circuit import Circuit
from gateway.inference.errors import ModelFailed
from gateway.inference.session import Cost, Stop
from gateway.inference.told_signature import ToldModel
from gateway.inference.transport import Answered, Transport
from gateway.inference.upstream_errors import UpstreamAnswerWrong, UpstreamTooSlow, UpstreamUnavailable
from gateway.inference.upstreams import AllowedUpstreams, Upstream
from gateway.metrics import UPSTREAM_CALLS, UPSTREAM_OPEN
from gateway.protocol.datatypes import Tensor, datatype_of
from gateway.protocol.signature import ANY_SIZE, TensorSpec

METADATA_S = 10.0


class UpstreamSession:
    """Runs a model elsewhere; it belongs to the event loop on which it was made."""

    def __init__(self, upstream: Upstream, transport: Transport, within_s: float) -> None:
        self.upstream = upstream
        self.signature = upstream.signature
        self.cost = Cost()
        self._transport = transport
        self._within_s = within_s
        self._circuit = Circuit()
        self._loop = asyncio.get_running_loop()
        self._closing: asyncio.Task[None] | None = None

    @property
    def state(self) -> str:
        """Either 'up', as far as this process knows, or 'down: …'."""
        return "down: it failed again and again" if self._circuit.open else "up"

    async def infer(
        self,
        feeds: Mapping[str, Tensor],
        *,
        items: int = 1,  # noqa: ARG002 - the server runs them as it likes
        caller: UUID | None = None,  # noqa: ARG002 - the server knows us, not our callers
        within_s: float | None = None,
    ) -> dict[str, Tensor]:
        """The outputs for feeds that fit the signature, within the caller's own time where that is shorter.

        Raises: UpstreamUnavailable, UpstreamTooSlow, UpstreamAnswerWrong, ModelRefusedValues, ModelFailed.
        """
        return dict((await self.answered(feeds, within_s)).outputs)

    async def answered(self, feeds: Mapping[str, Tensor], within_s: float | None = None) -> Answered:
        """As `infer`, with the version that answered."""
        if not self._circuit.lets_through(monotonic()):
            error = UpstreamUnavailable()
            error.unread = True
            error.retry_after_s = self._circuit.pause_s(monotonic())
            self._count(error.code)
            raise error
        seconds = self._within_s if within_s is None else min(within_s, self._within_s)
        told = await self._asked(feeds, seconds)
        outputs = {spec.name: _checked(spec, told.outputs.get(spec.name)) for spec in self.signature.outputs}
        return Answered(outputs, told.version)

    async def tell(self) -> ToldModel:
        """What the server tells of the model now.

        Raises: UpstreamUnavailable, UpstreamTooSlow, UpstreamSignatureWrong, UpstreamAnswerWrong.
        """
        try:
            async with asyncio.timeout(METADATA_S):
                return await self._transport.metadata()
        except TimeoutError as error:
            raise UpstreamTooSlow from error

    def refuse_early(self, caller: UUID) -> None:
        """Return: nobody waits in line here."""

    def run(
        self, feeds: Mapping[str, Tensor], outputs: Sequence[str] | None = None, stop: Stop | None = None
    ) -> dict[str, Tensor]:
        """As `infer`, from a thread beside the loop; `stop` ends it early, which is a ModelFailed."""
        running = asyncio.run_coroutine_threadsafe(self.infer(feeds), self._loop)
        if stop is not None:
            stop.also(running.cancel)
        try:
            found = running.result()
        except CancelledError as error:
            raise ModelFailed from error
        return {name: found[name] for name in outputs} if outputs else found

    def warm_up(self) -> None:
        """Nothing: the server keeps its model warm itself."""

    def close(self) -> None:
        """Close the connections."""
        self._closing = self._loop.create_task(self.end())

    async def end(self) -> None:
        """Close the connections, and return when they are."""
        await self._transport.close()

    async def _asked(self, feeds: Mapping[str, Tensor], seconds: float) -> Answered:
        """What the server answered; what became of the call is told to the circuit."""
        names = [spec.name for spec in self.signature.outputs]
        try:
            async with asyncio.timeout(seconds):
                told = await self._transport.infer(feeds, names, seconds)
        except TimeoutError as error:
            self._end(UpstreamTooSlow.code, seconds)
            raise UpstreamTooSlow from error
        except GatewayError as error:
            self._end(error.code, seconds)
            raise
        except BaseException:
            self._circuit.left()
            raise
        self._end("answered", seconds)
        return told

    def _end(self, outcome: str, seconds: float) -> None:
        """A call ended so; a caller that was in a hurry has learned nothing about the server."""
        if outcome == UpstreamUnavailable.code or (outcome == UpstreamTooSlow.code and seconds >= self._within_s):
            self._circuit.failed(monotonic())
        elif outcome == UpstreamTooSlow.code:
            self._circuit.left()
        else:
            self._circuit.succeeded()
        self._count(outcome)

    def _count(self, outcome: str) -> None:
        UPSTREAM_CALLS.add(self.upstream.origin, outcome)
        UPSTREAM_OPEN.put(float(self._circuit.open), self.upstream.origin)


def open_upstream(upstream: Upstream, allowed: AllowedUpstreams) -> UpstreamSession:
    """A session whose connections are made when it is first asked. Raises: UpstreamNotAllowed."""
    key = allowed.key_of(upstream.origin)
    transport: Transport
    if upstream.scheme in ("grpc", "grpcs"):
        from gateway.inference.over_grpc import GrpcTransport

        transport = GrpcTransport(upstream, key, allowed.answer_max_bytes)
    else:
        from gateway.inference.over_http import HttpTransport

        transport = HttpTransport(upstream, key, allowed.answer_max_bytes)
    return UpstreamSession(upstream, transport, allowed.within_s)


def _checked(spec: TensorSpec, tensor: Tensor | None) -> Tensor:
    """The tensor, if it is what the signature says. Raises: UpstreamAnswerWrong."""
    if tensor is None or datatype_of(tensor) != spec.datatype or tensor.ndim != len(spec.shape):
        raise UpstreamAnswerWrong
    if any(want not in (size, ANY_SIZE) for size, want in zip(tensor.shape, spec.shape, strict=True)):
        raise UpstreamAnswerWrong
    return tensor
