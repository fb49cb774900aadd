"""Errors on pages: the error's own sentence on a page of its own; the console's script gets the problem as JSON."""

from typing import Any
from urllib.parse import quote

import structlog
from litestar import Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Redirect

from flags.errors import FlagsError
from gateway.errors import GatewayError
from review.api import problems
from review.console.pages import Asked, page, wants_json
from review.errors import ReviewError
from review.people.errors import NotSignedIn

log = structlog.get_logger()
TITLES = {
    400: "That does not fit",
    401: "Sign in first",
    403: "Not for you",
    404: "Nothing here",
    409: "Something changed meanwhile",
    410: "This link is over",
    503: "Not now",
}


def not_signed_in(request: Asked, error: NotSignedIn) -> Response[Any]:
    """To the sign-in page, and from there to where one wanted to go."""
    if wants_json(request) or request.method != "GET":
        return known(request, error)
    return Redirect(f"/console/sign-in?next={quote(request.url.path)}", status_code=303)


def known(request: Asked, error: problems.Known) -> Response[Any]:
    """An error of ours."""
    if wants_json(request):
        return problems.known(request, error)
    return problem_page(request, error.status, error.code, str(error))


def invalid(request: Asked, error: ValidationException) -> Response[Any]:
    """A form that does not fit."""
    if wants_json(request):
        return problems.invalid(request, error)
    return problem_page(request, 400, "bad-request", problems.faults(error))


def refused(request: Asked, error: HTTPException) -> Response[Any]:
    """An error of the web framework."""
    answer = problems.refused(request, error)
    if wants_json(request):
        return answer
    told = answer.content
    return problem_page(request, told.status, told.code, told.detail)


def unforeseen(request: Asked, error: Exception) -> Response[Any]:
    """A fault of ours."""
    answer = problems.unforeseen(request, error)
    return answer if wants_json(request) else problem_page(request, 500, "internal", answer.content.detail)


def problem_page(request: Asked, status: int, code: str, detail: str) -> Response[str]:
    """The page of an error."""
    request.scope["state"]["problem"] = code
    back = "/console/sign-in" if status == 401 else "/console/"
    title = TITLES.get(status, "Something went wrong here" if status >= 500 else "That did not work")
    told = {"number": status, "title": title, "detail": detail, "code": code, "back": back}
    return page("problem.html", request, status=status, **told)


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    NotSignedIn: not_signed_in,
    GatewayError: known,
    ReviewError: known,
    FlagsError: known,
    ValidationException: invalid,
    HTTPException: refused,
    Exception: unforeseen,
}
