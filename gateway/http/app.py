"""The gateway's ASGI application: predictions go straight to their entry, `/v2` to Litestar, the rest elsewhere."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ControllerRouterHandler

from gateway.express.asking import Headers
from gateway.express.exchange import Exchange
from gateway.express.express import Express
from gateway.holding.holds import Holds
from gateway.http.asgi import Receive, Scope, Send
from gateway.http.body import within
from gateway.http.entry import INFER, Bounds, PredictEntry
from gateway.http.forward import Forward
from gateway.http.health import HealthController
from gateway.http.infer import InferController
from gateway.http.models import ModelsController
from gateway.http.not_served import NotServedController
from gateway.http.outcomes import OutcomesController, Truths
from gateway.http.parts import provide_caller, provide_live
from gateway.http.predictions import PredictionsController
from gateway.http.problem_media import as_problems, asks_for_problems
from gateway.http.problems import EXCEPTION_HANDLERS
from gateway.http.repository import RepositoryController
from gateway.live import Live
from gateway.pipeline import Pipeline
from gateway.registry.follower import Follower

HANDLERS: tuple[ControllerRouterHandler, ...] = (
    HealthController,
    ModelsController,
    InferController,
    PredictionsController,
    OutcomesController,
    RepositoryController,
    NotServedController,
)


class GatewayParts(msgspec.Struct, frozen=True, kw_only=True):
    """The opened parts that a gateway answers with."""

    follower: Follower
    pipeline: Pipeline
    holds: Holds
    truths: Truths
    live: Live
    console_url: str
    express: Express
    bounds: Bounds
    api_body_max_bytes: int


class Gateway:
    """Everything that answers on the gateway's listener."""

    def __init__(self, parts: GatewayParts) -> None:
        self.live = parts.live
        self._express = parts.express
        self._predict = PredictEntry(parts.pipeline, parts.follower, parts.bounds)
        self._protocol = create_protocol(parts, HANDLERS)
        self._body_s = parts.bounds.body_s
        self._forward = Forward(parts.console_url, parts.bounds.body_s)

    def take(self, exchange: Exchange) -> bool:
        """Whether a request that came whole is answered the express way; if not, nothing has happened to it."""
        return self._express.take(exchange)

    def room(self, path: bytes, headers: Headers, size: int) -> memoryview | None:
        """Where a larger body shall lie, to be taken whole; None where it is read while it is answered."""
        return self._express.room(path, headers, size)

    def end_streams(self) -> None:
        """End the streams of the console that are passed on."""
        self._forward.end_streams()

    async def close(self) -> None:
        """Close the connections to the console."""
        await self._forward.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Dispatch by path; the prediction path first and without a router."""
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path.startswith("/v2") and asks_for_problems(scope["headers"]):
            send = as_problems(send)
        if scope["method"] == "POST" and (found := INFER.fullmatch(path)):
            await self._predict(scope, receive, send, found[1], found[2])
        elif path == "/v2" or path.startswith("/v2/"):
            await self._protocol(scope, within(receive, self._body_s), send)  # type: ignore[arg-type]
        else:
            await self._forward(scope, receive, send)


def create_protocol(parts: GatewayParts, handlers: Sequence[ControllerRouterHandler]) -> Litestar:
    """The Litestar application under `/v2`; it opens and closes nothing itself."""
    return Litestar(
        route_handlers=list(handlers),
        exception_handlers=EXCEPTION_HANDLERS,
        dependencies={
            "live": Provide(provide_live, sync_to_thread=False),
            "caller": Provide(provide_caller, sync_to_thread=False),
        },
        state=State({"live": parts.live, "holds": parts.holds, "parts": parts}),
        request_max_body_size=parts.api_body_max_bytes,
        openapi_config=_openapi(parts.live.version),
        logging_config=None,
    )


def protocol_document(version: str) -> dict[str, Any]:
    """The OpenAPI document of `/v2`, made without a running gateway."""
    application = Litestar(
        route_handlers=list(HANDLERS),
        dependencies={
            "live": Provide(provide_live, sync_to_thread=False),
            "caller": Provide(provide_caller, sync_to_thread=False),
        },
        openapi_config=_openapi(version),
        logging_config=None,
    )
    return application.openapi_schema.to_schema()


def _openapi(version: str) -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Lockgate: the Open Inference Protocol",
        version=version,
        path="/v2/openapi",
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        components=Components(
            security_schemes={"key": SecurityScheme(type="http", scheme="bearer", description="A key: lg_…")}
        ),
        security=[{"key": []}],
    )
