"""Health, for load balancers: no key is needed, and no dependency's outage makes a gateway unready."""

import msgspec
from litestar import Controller, get
from litestar.response import Response

from gateway.live import Live


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    live: bool = True


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the process should get requests; the specification prints `live`, clients read `ready`."""

    ready: bool
    live: bool


class HealthController(Controller):
    """The protocol's health."""

    path = "/v2/health"
    tags = ("health",)

    @get("/live", summary="Liveness")
    async def live(self) -> Alive:
        """200 while the process runs."""
        return Alive()

    @get("/ready", summary="Readiness")
    async def ready(self, live: Live) -> Response[Ready]:
        """200 once a plan is loaded and until the process is told to end; 503 otherwise."""
        ready = live.takes_requests
        return Response(Ready(ready=ready, live=True), status_code=200 if ready else 503)
