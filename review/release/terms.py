"""The gate's terms as operators declare and see them: what a model's candidates must show before they may serve."""

from uuid import UUID

import msgspec

from gateway.store.ledger import Ledger, ReadSession
from gateway.store.models import known_model
from review.actors import Actor
from review.operators import operated_model
from review.release.declared import Declared
from review.release.errors import NoTermsDeclared
from review.release.gate import Thresholds, in_force
from review.release.moving import require_why
from review.store.declared import GATE


class TermsShown(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate asks of a model's candidates, and what it asked before."""

    model: str
    thresholds: Thresholds
    """What is in force."""
    asks: str
    """The same in words."""
    declared: Declared[Thresholds] | None
    """None where nothing was ever declared; without a declaration in it the terms of every model are in force again."""
    history: tuple[Declared[Thresholds], ...]
    """The latest first."""


async def set_terms(ledger: Ledger, actor: Actor, name: str, declaration: Thresholds, why: str) -> TermsShown:
    """Declare what the gate asks of a model's candidates from now on.

    Raises: ReasonMissing, UnknownModel, NotAllowed.
    """
    require_why(why)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        await GATE.declare(w, model, declaration, by=actor.by, why=why, asks=declaration.told)
        return await _shown(w, name, model.id)


async def clear_terms(ledger: Ledger, actor: Actor, name: str, why: str) -> TermsShown:
    """Ask of a model's candidates what is asked of every model's.

    Raises: ReasonMissing, UnknownModel, NotAllowed, NoTermsDeclared.
    """
    require_why(why)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        if not await GATE.clear(w, model, by=actor.by, why=why, asks=in_force(None).told):
            raise NoTermsDeclared(model=name)
        return await _shown(w, name, model.id)


async def show_terms(ledger: Ledger, tenant_id: UUID, name: str) -> TermsShown:
    """What the gate asks of a model's candidates. Raises: UnknownModel."""
    async with ledger.reading() as r:
        model = await known_model(r, tenant_id, name)
        return await _shown(r, name, model.id)


async def _shown(r: ReadSession, name: str, model_id: UUID) -> TermsShown:
    history = tuple(await GATE.of(r, model_id))
    declared = history[0] if history else None
    thresholds = in_force(declared)
    return TermsShown(model=name, thresholds=thresholds, asks=thresholds.told, declared=declared, history=history)
