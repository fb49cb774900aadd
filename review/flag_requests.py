"""Four eyes on flags: one person asks for a change that lowers human control, and another confirms it.

What was asked is an event, so that it cannot be changed and everybody can read it. It holds for the flags that were in
force when it was asked: as soon as any of them changes, it has to be asked anew.
"""

from uuid import UUID

import msgspec

from flags.definitions import Feature
from gateway.store.events import append_event, latest_event
from gateway.store.ledger import ReadSession, WriteSession
from review.actors import Actor
from review.errors import NotAPerson, ReviewError

REQUESTED = "flag.change_requested"


class NoFlagRequest(ReviewError):
    """Nobody has asked for a change of '{flag}' to the flags in force, so there is nothing to confirm."""

    status = 409
    code = "no-flag-request"


class SecondPersonForFlag(ReviewError):
    """You asked for this change of '{flag}' yourself, and the model asks for four eyes: somebody else confirms it."""

    status = 403
    code = "second-person-for-flag"


class FlagRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a flag that waits for a second person."""

    flag: str
    version: int
    """The version of the flags in force, for which it was asked."""
    definition: Feature
    """The flag as it would be."""
    lowered: tuple[str, ...]
    """How it lowers human control, as sentences."""
    why: str
    by: str
    simulation: str | None = None


async def ask_flag(w: WriteSession, actor: Actor, request: FlagRequest) -> FlagRequest:
    """Record that a person asks for a change; it takes the place of what was asked before. Raises: NotAPerson."""
    if actor.kind != "person":
        raise NotAPerson
    data, subject = msgspec.to_builtins(request), f"flag:{request.flag}"
    await append_event(w, REQUESTED, subject, data, by=actor.by, tenant_id=actor.tenant_id, at_us=await w.now_us())
    return request


async def asked_of_flag(r: ReadSession, tenant_id: UUID, flag: str, version: int) -> FlagRequest | None:
    """The change of a flag that waits for a second person, while these flags are in force."""
    event = await latest_event(r, tenant_id, f"flag:{flag}", REQUESTED)
    if event is None:
        return None
    request = msgspec.json.decode(event.data, type=FlagRequest)
    return request if request.version == version else None


def require_second_person(request: FlagRequest | None, actor: Actor, flag: str) -> FlagRequest:
    """The request that this person may confirm. Raises: NotAPerson, NoFlagRequest, SecondPersonForFlag."""
    if actor.kind != "person":
        raise NotAPerson
    if request is None:
        raise NoFlagRequest(flag=flag)
    if request.by == actor.by:
        raise SecondPersonForFlag(flag=flag)
    return request
