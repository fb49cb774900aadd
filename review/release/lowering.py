"""Four eyes on the gate's terms: where a model asks for them, one person asks for lower terms and another confirms.

Whoever could lower what is asked of a candidate alone could let it pass alone. What was asked is an event, so that it
cannot be changed and everybody can read it; it holds until terms are declared anew or cleared.
"""

from typing import Any

import msgspec

from gateway.store.events import append_event, latest_event
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.schema.serves import ModelRow
from review.actors import Actor
from review.errors import NotAPerson
from review.release.errors import NoTermsToConfirm, OwnTerms
from review.release.gate import Thresholds, in_force, lowered_terms
from review.store.declared import GATE

REQUESTED = "gate.lowering_requested"


class TermsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Lower terms that wait for a second person."""

    revision: int
    """The revision of what was declared last when it was asked; 0 where nothing ever was."""
    declaration: Thresholds | None
    """None where they shall be cleared."""
    asks: str
    """The same in words."""
    why: str
    by: str


async def needs_second(r: ReadSession, model: ModelRow, shall: Thresholds) -> bool:
    """Whether these terms take a second person: lower ones do, where the model asks for four eyes."""
    return model.four_eyes and bool(lowered_terms(in_force(await GATE.latest(r, model.id)), shall))


async def ask(w: WriteSession, model: ModelRow, actor: Actor, declaration: Thresholds | None, why: str) -> None:
    """Record that somebody asks for these terms; it takes the place of what was asked before. Raises: NotAPerson."""
    if actor.kind != "person":
        raise NotAPerson
    asks = (declaration or Thresholds()).told
    request = TermsRequest(revision=await _revision(w, model), declaration=declaration, asks=asks, why=why, by=actor.by)
    data: dict[str, Any] = msgspec.to_builtins(request)
    subject, at_us = f"model:{model.name}", await w.now_us()
    await append_event(w, REQUESTED, subject, data, by=actor.by, tenant_id=model.tenant_id, at_us=at_us)


async def asked_of(r: ReadSession, model: ModelRow) -> TermsRequest | None:
    """The lower terms that wait for a second person."""
    event = await latest_event(r, model.tenant_id, f"model:{model.name}", REQUESTED)
    if event is None:
        return None
    request = msgspec.json.decode(event.data, type=TermsRequest)
    return request if request.revision == await _revision(r, model) else None


async def require_second(r: ReadSession, model: ModelRow, actor: Actor) -> TermsRequest:
    """The request that this person may confirm. Raises: NotAPerson, NoTermsToConfirm, OwnTerms."""
    if actor.kind != "person":
        raise NotAPerson
    request = await asked_of(r, model)
    if request is None:
        raise NoTermsToConfirm(model=model.name)
    if request.by == actor.by:
        raise OwnTerms(model=model.name)
    return request


async def _revision(r: ReadSession, model: ModelRow) -> int:
    latest = await GATE.latest(r, model.id)
    return latest.revision if latest is not None else 0
