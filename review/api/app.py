"""The console process's application: `/api/v1` and `/console`, composed from the controllers of each subject.

Handlers may ask for `ledger`, `objects`, `settings`, `attempts`, `actor` (who asks; never None behind a permission) and
`credentials`. `app.state` carries the first ones for middleware and guards.
"""

from collections.abc import Sequence
from typing import Any

from litestar import Litestar, Request, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp, ControllerRouterHandler

from review.actors import Actor
from review.api.authentication import Authentication, Credentials
from review.api.guards import guard
from review.api.headers import with_security_headers
from review.api.parts import Parts
from review.api.problems import EXCEPTION_HANDLERS
from review.api.record import record_requests


def create_app(parts: Parts, handlers: Sequence[ControllerRouterHandler]) -> ASGIApp:
    """The application over opened parts; it opens and closes nothing itself."""
    return around(create_router(parts, handlers))


def around(router: Litestar) -> ASGIApp:
    """The application with log and headers around it: Litestar's own middleware does not see what no route answers."""
    return record_requests(with_security_headers(router))


def create_router(parts: Parts, handlers: Sequence[ControllerRouterHandler]) -> Litestar:
    """The Litestar application, bare."""
    return Litestar(
        route_handlers=list(handlers),
        guards=[guard],
        middleware=[DefineMiddleware(Authentication)],
        exception_handlers=EXCEPTION_HANDLERS,
        dependencies=_dependencies(),
        state=State(state_of(parts)),
        request_max_body_size=parts.settings.body_max_bytes,
        openapi_config=_openapi(),
        logging_config=None,
    )


def state_of(parts: Parts) -> dict[str, Any]:
    """What `app.state` carries; an application is put over other parts by updating it with theirs."""
    return {"ledger": parts.ledger, "link_url": parts.settings.link_url, "parts": parts}


def _dependencies() -> dict[str, Provide]:
    names = ("ledger", "objects", "settings", "attempts")
    return {
        **{name: Provide(_giving(name), sync_to_thread=False) for name in names},
        "actor": Provide(_actor, sync_to_thread=False),
        "credentials": Provide(_credentials, sync_to_thread=False),
    }


def _giving(name: str) -> Any:
    def give(request: Request[Any, Any, State]) -> Any:
        return getattr(request.app.state.parts, name)

    return give


def _actor(request: Request[Actor, Credentials, State]) -> Actor:
    return request.user


def _credentials(request: Request[Actor, Credentials, State]) -> Credentials:
    return request.auth


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Lockgate",
        version="1",
        path="/api/v1/openapi",
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        openapi_router=Router(
            path="/api/v1/openapi", route_handlers=[], opt={"permission": "public"}, include_in_schema=False
        ),
        components=Components(
            security_schemes={"key": SecurityScheme(type="http", scheme="bearer", description="A key: lg_…")}
        ),
        security=[{"key": []}],
    )
