"""The gRPC listener of one process, from its first call to its last.

Several processes share one address by SO_REUSEPORT: the kernel spreads connections over them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from grpc import aio, ssl_server_credentials
from grpc_reflection.v1alpha import reflection

from gateway.errors import Unavailable
from gateway.grpc import health
from gateway.grpc.predict import Predictions
from gateway.grpc.service import SERVICE, Catalogue, service
from gateway.live import Live
from gateway.pipeline import Pipeline
from gateway.store.ledger import Ledger

METADATA_MAX_BYTES = 16_384
STREAMS_MAX = 1024
"""Calls that one connection carries at once; the next ones wait at their sender."""
IDLE_MS = 300_000
"""A connection without a call is told to go after this long; clients connect again by themselves."""
PING_MS, PONG_MS = 60_000, 20_000
"""How often a connection is asked whether somebody is there, and how long the answer may take."""
HEADROOM_BYTES = 1 << 20
"""What a message may have beside its tensors before it is refused unread; then the limit on bodies speaks."""


class GrpcNotListening(Unavailable):
    """The gRPC listener cannot be opened at {address}: the address or the certificate cannot be used."""

    code = "grpc-not-listening"


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate chain and its private key, as PEM."""

    certificate: bytes
    private_key: bytes


class GrpcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where to listen, how much one call may bring and how long that may take, and how many may connect."""

    address: str
    tls: Tls | None
    body_max_bytes: int
    body_s: float
    connections_max: int
    drain_s: float


class GrpcServer:
    """A running listener."""

    def __init__(self, server: aio.Server, predictions: Predictions, drain_s: float) -> None:
        self._server = server
        self._predictions = predictions
        self._drain_s = drain_s
        self._stopping: asyncio.Task[None] | None = None

    @property
    def state(self) -> str:
        """Either 'up' or, with a reason, 'down: …'."""
        return "up" if self._stopping is None else "down: it takes no more calls"

    def drain(self) -> None:
        """Take no more calls; those in flight get `drain_s` seconds to finish."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._server.stop(self._drain_s), name="grpc-draining")

    async def close(self) -> None:
        """Wait until the last call has ended."""
        self.drain()
        assert self._stopping is not None
        await self._stopping
        await self._predictions.close()


@asynccontextmanager
async def open_grpc(
    settings: GrpcSettings, pipeline: Pipeline, live: Live, ledger: Ledger
) -> AsyncIterator[GrpcServer]:
    """A listener that answers; afterwards calls in flight finish. Raises: GrpcNotListening."""
    predictions = Predictions(pipeline, live, settings.body_max_bytes, settings.body_s)
    server = aio.server(options=_options(settings))
    alive = health.Health(live, frozenset({SERVICE}))
    asked = service(predictions, Catalogue(live, ledger), settings.body_s)
    server.add_generic_rpc_handlers((asked, health.health_service(alive, settings.body_s)))
    reflection.enable_server_reflection((SERVICE, health.SERVICE, reflection.SERVICE_NAME), server)
    _listen(server, settings)
    await server.start()
    running = GrpcServer(server, predictions, settings.drain_s)
    try:
        yield running
    finally:
        await running.close()


def _listen(server: aio.Server, settings: GrpcSettings) -> None:
    try:
        if settings.tls is None:
            server.add_insecure_port(settings.address)
        else:
            pair = (settings.tls.private_key, settings.tls.certificate)
            server.add_secure_port(settings.address, ssl_server_credentials([pair]))
    except RuntimeError as error:
        raise GrpcNotListening(address=settings.address) from error


def _options(settings: GrpcSettings) -> list[tuple[str, Any]]:
    return [
        ("grpc.max_receive_message_length", settings.body_max_bytes + HEADROOM_BYTES),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_metadata_size", METADATA_MAX_BYTES),
        ("grpc.so_reuseport", 1),
        ("grpc.max_allowed_incoming_connections", settings.connections_max),
        ("grpc.max_concurrent_streams", STREAMS_MAX),
        ("grpc.max_connection_idle_ms", IDLE_MS),
        ("grpc.keepalive_time_ms", PING_MS),
        ("grpc.keepalive_timeout_ms", PONG_MS),
        ("grpc.server_handshake_timeout_ms", int(settings.body_s * 1000)),
    ]
