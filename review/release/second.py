"""Four eyes: one person asks for a promotion and another confirms it.

What was asked is an event, so that it cannot be changed and everybody can read it. It holds for what served when it was
asked: as soon as the pointer moves, it has to be asked anew.
"""

import msgspec

from gateway.store.events import append_event, latest_event
from gateway.store.ledger import ReadSession, WriteSession
from review.actors import Actor
from review.errors import NotAPerson
from review.release.candidate import Candidate
from review.release.errors import NothingToConfirm, SecondPersonNeeded

REQUESTED = "release.promotion_requested"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion that waits for a second person."""

    release: str
    revision: int
    """The revision of what serves, for which it was asked."""
    why: str
    force: bool
    by: str


async def ask(w: WriteSession, candidate: Candidate, actor: Actor, why: str, *, force: bool) -> Request:
    """Record that somebody asks for a promotion; it takes the place of what was asked before. Raises: NotAPerson."""
    if actor.kind != "person":
        raise NotAPerson
    model = candidate.now.model
    request = Request(
        release=candidate.name, revision=candidate.now.pointer.revision, why=why, force=force, by=actor.by
    )
    data = msgspec.to_builtins(request)
    subject, at_us = f"model:{model.name}", await w.now_us()
    await append_event(w, REQUESTED, subject, data, by=actor.by, tenant_id=model.tenant_id, at_us=at_us)
    return request


async def asked_of(r: ReadSession, candidate: Candidate) -> Request | None:
    """The promotion of this release that waits for a second person."""
    model = candidate.now.model
    event = await latest_event(r, model.tenant_id, f"model:{model.name}", REQUESTED)
    if event is None:
        return None
    request = msgspec.json.decode(event.data, type=Request)
    same = (request.release, request.revision) == (candidate.name, candidate.now.pointer.revision)
    return request if same else None


def require_second(request: Request | None, candidate: Candidate, actor: Actor) -> Request:
    """The request that this person may confirm. Raises: NotAPerson, NothingToConfirm, SecondPersonNeeded."""
    if actor.kind != "person":
        raise NotAPerson
    if request is None:
        raise NothingToConfirm(release=candidate.name)
    if request.by == actor.by:
        raise SecondPersonNeeded(release=candidate.name)
    return request
