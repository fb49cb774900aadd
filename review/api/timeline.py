"""The timeline under `/api/v1/timeline`: what happened to the models, by whom and why, as pages and as a stream."""

from typing import Annotated

from litestar import Controller, Request, get
from litestar.datastructures import State
from litestar.params import Parameter
from litestar.response import Stream

from gateway.errors import BadRequest
from gateway.store.ledger import Ledger
from gateway.store.models import known_model
from review.actors import Actor
from review.api.authentication import Credentials
from review.api.guards import needs
from review.api.parts import Parts
from review.timeline.reading import LIMIT, LIMIT_MAX, Asked, Stretch, read_timeline
from review.timeline.streaming import follow

POSITION_MAX = 2**62
Position = Annotated[int | None, Parameter(ge=0, le=POSITION_MAX)]
STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""No cache keeps a stream, and no proxy that knows this header collects it before it passes it on."""


class LastEventUnreadable(BadRequest):
    """The header Last-Event-ID must be the position that the last event of a stream had."""

    code = "last-event-unreadable"


class TimelineController(Controller):
    """The timeline."""

    path = "/api/v1/timeline"
    tags = ("timeline",)

    @get("/", **needs("inspect"))
    async def read(
        self,
        ledger: Ledger,
        actor: Actor,
        model: Annotated[str, Parameter(max_length=80)] | None = None,
        after: Position = None,
        before: Position = None,
        limit: Annotated[int, Parameter(ge=1, le=LIMIT_MAX)] = LIMIT,
    ) -> Stretch:
        """Releases, rollbacks, flags, halts, trials and what was learned, the latest first; `newest` and `oldest` are
        the cursors for `after` and `before`."""
        asked = Asked(model=model, after=after, before=before, limit=limit)
        async with ledger.reading() as r:
            return await read_timeline(r, actor.tenant_id, asked)

    @get("/stream", **needs("inspect"))
    async def stream(
        self,
        request: Request[Actor, Credentials, State],
        ledger: Ledger,
        actor: Actor,
        model: Annotated[str, Parameter(max_length=80)] | None = None,
        after: Position = None,
    ) -> Stream:
        """The same as it happens, as `text/event-stream`: behind `Last-Event-ID`, or else `after`, or else from now."""
        begin = position_of(request.headers.get("last-event-id"), after)
        if model is not None:
            await _require_model(ledger, actor, model)
        parts: Parts = request.app.state.parts
        parts.streams.require_room(actor.id)
        entries = follow(ledger, parts.streams, actor, model, begin)
        return Stream(entries, media_type="text/event-stream", headers=STREAM_HEADERS)


def position_of(last_event_id: str | None, after: int | None) -> int | None:
    """Where a stream begins: a client that was cut off knows it best. Raises: LastEventUnreadable."""
    if not last_event_id:
        return after
    if not last_event_id.isdecimal() or int(last_event_id[:20]) > POSITION_MAX:
        raise LastEventUnreadable
    return int(last_event_id)


async def _require_model(ledger: Ledger, actor: Actor, model: str) -> None:
    async with ledger.reading() as r:
        await known_model(r, actor.tenant_id, model)
