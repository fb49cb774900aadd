"""Errors of the gateway's Litestar application, as `/v2` tells them."""

from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from flags.errors import FlagsError
from gateway.errors import BadRequest, GatewayError, NotFound
from gateway.http.body import HUNG_UP, BodyEndedEarly
from gateway.protocol.errors import BodyTooLarge, TooDeep
from gateway.reply import Headers, Reply, error_reply

_log = structlog.get_logger("gateway.request")


class MethodNotAllowed(GatewayError):
    """This address does not know that method."""

    status = 405
    code = "method-not-allowed"


class RequestDoesNotFit(BadRequest):
    """The request does not fit: {faults}."""

    code = "request-does-not-fit"


def as_response(reply: Reply) -> Response[bytes]:
    """The reply as Litestar sends it, its content type untouched."""
    headers = {name: value for name, value in reply.headers if name.lower() != "content-type"}
    kind = reply.header("content-type") or "application/json"
    return Response(reply.whole, status_code=reply.status, headers=headers, media_type=kind)


def known(request: Request[Any, Any, Any], error: GatewayError, headers: Headers = ()) -> Response[bytes]:
    """An error of ours."""
    reply = error_reply(error, instance=request.url.path, headers=headers)
    if error.status == 401:
        reply = Reply(reply.status, (*reply.headers, ("WWW-Authenticate", "Bearer")), reply.body)
    return as_response(reply)


def invalid(request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    """A body or parameter that does not fit: which, and why."""
    extra = error.extra if isinstance(error.extra, list) else []
    faults = [f"{one['key']}: {one['message']}" if one.get("key") else str(one["message"]) for one in extra]
    return known(request, RequestDoesNotFit(faults="; ".join(faults)) if faults else BadRequest())


def refused(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """An error of the web framework, in our words."""
    if error.detail == HUNG_UP:
        return known(request, BodyEndedEarly())
    if error.status_code >= 500:
        return unforeseen(request, error)
    if error.status_code == 413:
        found = request.headers.get("content-length", "too many")
        return known(request, BodyTooLarge(found=found[:20], limit=request.app.state.parts.api_body_max_bytes))
    allowed = tuple(("Allow", methods) for name, methods in (error.headers or {}).items() if name.lower() == "allow")
    return known(request, {404: NotFound, 405: MethodNotAllowed}.get(error.status_code, BadRequest)(), allowed)


def too_deep(request: Request[Any, Any, Any], _error: RecursionError) -> Response[bytes]:
    """A body whose JSON nests without end."""
    return known(request, TooDeep())


def unforeseen(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A fault of ours: logged whole, told in one sentence."""
    _log.error("request_failed", path=request.url.path, exc_info=error)
    return as_response(error_reply(GatewayError()))


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    GatewayError: known,
    FlagsError: known,
    ValidationException: invalid,
    HTTPException: refused,
    RecursionError: too_deep,
    Exception: unforeseen,
}
