"""The gate's terms as operators declare and see them: what a model's candidates must show before they may serve."""

from uuid import UUID

import msgspec

from gateway.store.ledger import Ledger, ReadSession
from gateway.store.models import known_model
from gateway.store.schema.serves import ModelRow
from review.actors import Actor
from review.operators import operated_model
from review.release.declared import Declared
from review.release.errors import NoTermsDeclared
from review.release.gate import Thresholds, in_force
from review.release.lowering import TermsRequest, ask, asked_of, needs_second, require_second
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
    request: TermsRequest | None
    """Lower terms that wait for a second person."""


async def set_terms(ledger: Ledger, actor: Actor, name: str, declaration: Thresholds, why: str) -> TermsShown:
    """Declare what the gate asks of a model's candidates from now on; lower terms may have to be confirmed first.

    Raises: ReasonMissing, UnknownModel, NotAllowed, NotAPerson.
    """
    require_why(why)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        if await needs_second(w, model, declaration):
            await ask(w, model, actor, declaration, why)
        else:
            await GATE.declare(w, model, declaration, by=actor.by, why=why, asks=declaration.told)
        return await _shown(w, model)


async def clear_terms(ledger: Ledger, actor: Actor, name: str, why: str) -> TermsShown:
    """Ask of a model's candidates what is asked of every model's; if that is less, it may have to be confirmed first.

    Raises: ReasonMissing, UnknownModel, NotAllowed, NotAPerson, NoTermsDeclared.
    """
    require_why(why)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        latest = await GATE.latest(w, model.id)
        if latest is None or latest.declaration is None:
            raise NoTermsDeclared(model=name)
        if await needs_second(w, model, in_force(None)):
            await ask(w, model, actor, None, why)
        else:
            await GATE.clear(w, model, by=actor.by, why=why, asks=in_force(None).told)
        return await _shown(w, model)


async def confirm_terms(ledger: Ledger, actor: Actor, name: str, why: str) -> TermsShown:
    """Confirm, as a second person, the lower terms that another one asked for.

    Raises: ReasonMissing, UnknownModel, NotAllowed, NotAPerson, NoTermsToConfirm, OwnTerms.
    """
    require_why(why)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        asked = await require_second(w, model, actor)
        reasons = f"{asked.why} (confirmed by {actor.email}: {why})"
        await GATE.declare(
            w, model, asked.declaration, by=asked.by, why=reasons, asks=asked.asks, second_person=actor.by
        )
        return await _shown(w, model)


async def show_terms(ledger: Ledger, tenant_id: UUID, name: str) -> TermsShown:
    """What the gate asks of a model's candidates. Raises: UnknownModel."""
    async with ledger.reading() as r:
        model = await known_model(r, tenant_id, name)
        return await _shown(r, model)


async def _shown(r: ReadSession, model: ModelRow) -> TermsShown:
    history = tuple(await GATE.of(r, model.id))
    declared = history[0] if history else None
    thresholds = in_force(declared)
    return TermsShown(
        model=model.name,
        thresholds=thresholds,
        asks=thresholds.told,
        declared=declared,
        history=history,
        request=await asked_of(r, model),
    )
