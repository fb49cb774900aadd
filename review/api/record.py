"""One canonical log event for each request to the API and the console; never a body, a key, a query or a path,
since links and addresses of people stand in paths."""

import time
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from gateway import metrics

log = structlog.get_logger()


def record_requests(app: ASGIApp) -> ASGIApp:
    """The application, with each answer logged and counted when it has left."""

    async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, watch)
        finally:
            _record(scope, status, time.perf_counter() - started)

    return recorded


def _record(scope: Any, status: int, seconds: float) -> None:
    metrics.API_REQUESTS.add(scope["method"], str(status))
    metrics.API_SECONDS.observe(seconds, scope["method"])
    actor = scope.get("user")
    log.info(
        "request",
        method=scope["method"],
        route=scope.get("path_template") or "(none)",
        status=status,
        ms=round(seconds * 1000, 2),
        by=actor.by if actor is not None else None,
        problem=scope.get("state", {}).get("problem"),
    )
