"""An ASGI request of one that was to be taken whole."""

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway.http.asgi import BEGUN, BODY
from lockgate.bodies import ComingBody, CompleteBody, Room

if TYPE_CHECKING:
    from lockgate.exchanges import WholeRequests
    from lockgate.whole import WholeExchange


def cycle_for(by: "WholeRequests", exchange: "WholeExchange", begun: Any) -> RequestResponseCycle:
    """uvicorn's cycle for a request that is whole already."""
    cycle: Any = _cycle(by, exchange)
    cycle.scope[BEGUN] = begun
    if isinstance(exchange.body, bytes):
        cycle.body += exchange.body
    else:
        cycle.scope[BODY] = CompleteBody(exchange.body)
    cycle.more_body = False
    cycle.message_event.set()
    return cycle  # type: ignore[no-any-return]


def cycle_amid(by: "WholeRequests", exchange: "WholeExchange", room: Room) -> RequestResponseCycle:
    """uvicorn's cycle for a request whose body still comes, into this room."""
    cycle: Any = _cycle(by, exchange)
    cycle.scope[BODY] = ComingBody(by, cycle, room)
    return cycle  # type: ignore[no-any-return]


def _cycle(by: "WholeRequests", exchange: "WholeExchange") -> RequestResponseCycle:
    path = exchange.target.decode("ascii")
    scope: Any = {
        "type": "http",
        "asgi": {"version": by.asgi_version, "spec_version": "2.3"},
        "http_version": "1.1",
        "server": by.server,
        "client": by.client,
        "scheme": by.scheme,
        "method": "POST",
        "root_path": by.root_path,
        "path": by.root_path + path,
        "raw_path": by.root_path.encode("ascii") + exchange.target,
        "query_string": b"",
        "headers": list(exchange.headers),
        "state": by.app_state.copy(),
    }
    cycle = RequestResponseCycle(
        scope=scope,
        transport=by.transport,
        flow=by.flow,
        logger=by.logger,
        access_logger=by.access_logger,
        access_log=by.access_log,
        default_headers=by.server_state.default_headers,
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=exchange.keep_alive,
        on_response=by.on_response_complete,
    )
    cycle.disconnected = exchange.disconnected
    return cycle
