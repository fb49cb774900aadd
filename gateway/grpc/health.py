"""The standard health service, as load balancers and Kubernetes ask it; no key is needed.

The whole server and the inference service are SERVING exactly while the process takes requests.
"""

import asyncio
from collections.abc import AsyncIterator

from grpc import (
    GenericRpcHandler,
    StatusCode,
    method_handlers_generic_handler,
    stream_unary_rpc_method_handler,
    unary_stream_rpc_method_handler,
)
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from gateway.grpc.arriving import arriving
from gateway.grpc.refuse import Context
from gateway.live import Live

SERVICE = "grpc.health.v1.Health"
WATCH_S = 0.5
"""How often a watched health is looked at."""


class Health:
    """Tells whether the process takes requests."""

    def __init__(self, live: Live, services: frozenset[str]) -> None:
        self._live = live
        self._services = services | {""}

    async def check(self, asked: HealthCheckRequest, context: Context) -> HealthCheckResponse:
        """How it is now; NOT_FOUND for a service that is not here."""
        if asked.service not in self._services:
            await context.abort(StatusCode.NOT_FOUND, "No such service is here.")
        return self._now()

    async def watch(self, asked: HealthCheckRequest, _context: Context) -> AsyncIterator[HealthCheckResponse]:
        """How it is, again whenever it changes; the stream ends with the process."""
        if asked.service not in self._services:
            yield HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN)
            return
        told = None
        while not self._live.draining:
            now = self._now()
            if now != told:
                told = now
                yield now
            await asyncio.sleep(WATCH_S)
        yield self._now()

    def _now(self) -> HealthCheckResponse:
        serving = self._live.takes_requests
        return HealthCheckResponse(status=HealthCheckResponse.SERVING if serving else HealthCheckResponse.NOT_SERVING)


def health_service(health: Health, message_s: float) -> GenericRpcHandler:
    """The handlers of the service; a check may take `message_s` seconds to come."""
    coding = {
        "request_deserializer": HealthCheckRequest.FromString,
        "response_serializer": HealthCheckResponse.SerializeToString,
    }
    return method_handlers_generic_handler(
        SERVICE,
        {
            "Check": stream_unary_rpc_method_handler(arriving(health.check, message_s), **coding),
            "Watch": unary_stream_rpc_method_handler(health.watch, **coding),
        },
    )
