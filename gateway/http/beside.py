"""What a gateway answers beside predictions: the rest of `/v2`, by Litestar, and what the console answers.

Its libraries take a good part of a gateway's start to load, and the first answer needs none of them: they are loaded
when the gateway answers predictions already.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ControllerRouterHandler

from gateway.http.asgi import Receive, Scope, Send
from gateway.http.body import within
from gateway.http.forward import Forward
from gateway.http.health import HealthController
from gateway.http.infer import InferController
from gateway.http.models import ModelsController
from gateway.http.not_served import NotServedController
from gateway.http.outcomes import OutcomesController
from gateway.http.parts import provide_caller, provide_live
from gateway.http.predictions import PredictionsController
from gateway.http.problems import EXCEPTION_HANDLERS
from gateway.http.repository import RepositoryController

if TYPE_CHECKING:
    from gateway.http.app import GatewayParts

HANDLERS: tuple[ControllerRouterHandler, ...] = (
    HealthController,
    ModelsController,
    InferController,
    PredictionsController,
    OutcomesController,
    RepositoryController,
    NotServedController,
)


class Beside:
    """The Litestar application and the console, by path."""

    def __init__(self, parts: "GatewayParts") -> None:
        self._protocol = create_protocol(parts, HANDLERS)
        self._body_s = parts.bounds.body_s
        self._forward = Forward(parts.console_url, parts.bounds.body_s)

    def end_streams(self) -> None:
        """End the streams of the console that are passed on."""
        self._forward.end_streams()

    async def close(self) -> None:
        """Close the connections to the console."""
        await self._forward.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is no prediction."""
        path: str = scope["path"]
        if path == "/v2" or path.startswith("/v2/"):
            await self._protocol(scope, within(receive, self._body_s), send)  # type: ignore[arg-type]
        else:
            await self._forward(scope, receive, send)


def create_protocol(parts: "GatewayParts", handlers: Sequence[ControllerRouterHandler]) -> Litestar:
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
