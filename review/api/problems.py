"""Errors as RFC 9457 problems: the fixed text of a known error, and never a path, stack or driver's message."""

from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from flags.errors import FlagsError
from gateway.errors import GatewayError
from gateway.http.body import HUNG_UP, BodyEndedEarly
from gateway.reply import problem_type
from review.errors import ReviewError

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
Known = FlagsError | GatewayError | ReviewError


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong; `error` repeats the detail for clients that know only that."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    error: str
    code: str


def problem(request: Request[Any, Any, Any], code: str, status: int, detail: str) -> Response[Problem]:
    """The answer that tells of an error."""
    request.scope["state"]["problem"] = code
    body = Problem(
        type=problem_type(code),
        title=code.replace("-", " ").capitalize(),
        status=status,
        detail=detail,
        instance=request.url.path,
        error=detail,
        code=code,
    )
    return Response(body, status_code=status, media_type=MEDIA_TYPE)


def known(request: Request[Any, Any, Any], error: Known) -> Response[Problem]:
    """An error of ours: its own sentence, status and code."""
    answer = problem(request, error.code, error.status, str(error))
    if error.retry_after_s is not None:
        answer.headers["retry-after"] = str(max(1, round(error.retry_after_s)))
    if error.status == 401:
        answer.headers["www-authenticate"] = 'Bearer realm="lockgate"'
    return answer


def invalid(request: Request[Any, Any, Any], error: ValidationException) -> Response[Problem]:
    """A body or parameter that does not fit: which, and why."""
    return problem(request, "bad-request", 400, faults(error))


def faults(error: ValidationException) -> str:
    """The fields that do not fit, in one sentence."""
    extra = error.extra if isinstance(error.extra, list) else []
    told = [f"{one['key']}: {one['message']}" if one.get("key") else str(one["message"]) for one in extra]
    return f"The request does not fit: {'; '.join(told)}." if told else "The request cannot be understood."


def refused(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    """An error of the web framework, in our words."""
    code, detail = {
        401: ("not-signed-in", "Sign in, or send a key."),
        403: ("forbidden", "This is not allowed."),
        404: ("not-found", "There is nothing here."),
        405: ("method-not-allowed", "This address does not know that method."),
        413: ("body-too-large", "The body is larger than this address takes."),
    }.get(error.status_code, ("bad-request", "The request cannot be understood."))
    if error.detail == HUNG_UP:
        return problem(request, BodyEndedEarly.code, BodyEndedEarly.status, str(BodyEndedEarly()))
    if error.status_code >= 500:
        return unforeseen(request, error)
    return problem(request, code, error.status_code, detail)


def unforeseen(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """A fault of ours: logged whole, told in one sentence."""
    log.error("request_failed", path=request.url.path, exc_info=error)
    return problem(request, "internal", 500, "Something went wrong here; the log says what.")


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    GatewayError: known,
    ReviewError: known,
    FlagsError: known,
    ValidationException: invalid,
    HTTPException: refused,
    Exception: unforeseen,
}
