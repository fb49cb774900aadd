"""What the gateway's HTTP handlers share: the live plan, and who calls."""

from typing import Any

from litestar import Request

from gateway.access.callers import caller_of
from gateway.live import Live
from gateway.plan import Caller
from gateway.times import now_us


def provide_live(request: Request[Any, Any, Any]) -> Live:
    """The gateway of this application."""
    live = request.app.state.live
    assert isinstance(live, Live)
    return live


def provide_caller(request: Request[Any, Any, Any], live: Live) -> Caller:
    """The caller whose key came with the request. Raises: Unauthenticated."""
    return caller_of(request.headers.get("authorization"), live.plan.plan, now_us())
