"""Holds the flags in force against the models that the ledger has."""

import asyncio
from uuid import UUID

import msgspec

from gateway.errors import UnknownModel
from gateway.plan import ModelPlan
from gateway.store.flags import current_state
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.models import releases_of
from gateway.store.serving import served_models
from review.lint.carried import carried_by
from review.lint.finding import Finding, Known, Level, Rule
from review.lint.rules import is_models, lint


class FoundLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that would surprise."""

    level: Level
    rule: Rule
    flag: str
    place: str
    said: str


class Linted(msgspec.Struct, frozen=True, kw_only=True):
    """The flags in force, held against the models."""

    state: str
    """The digest of the state that was looked at."""
    models: tuple[str, ...]
    findings: tuple[FoundLine, ...]


async def lint_flags(ledger: Ledger, tenant_id: UUID, model: str | None = None) -> Linted:
    """Everything in the flags in force that would surprise, or in those of one model. Raises: UnknownModel."""
    async with ledger.reading() as r:
        state = await current_state(r)
        models = {plan.name: await _known(r, plan) for plan in await served_models(r, tenant_id)}
    if model is not None and model not in models:
        raise UnknownModel(model=model[:80])
    found = await asyncio.to_thread(lint, state.body, models)
    return Linted(
        state=state.digest,
        models=tuple(models) if model is None else (model,),
        findings=tuple(_line(one) for one in found if _concerns(one, model)),
    )


def _concerns(one: Finding, model: str | None) -> bool:
    """Whether it is about the model; what is about no model's flag may be about any."""
    return model is None or not is_models(one.flag) or one.flag.startswith(f"{model}.")


async def _known(r: ReadSession, plan: ModelPlan) -> Known:
    answering = (plan.champion, plan.trial.candidate) if plan.trial is not None else (plan.champion,)
    return Known(
        cards={release.name: release.card for release in answering},
        releases=frozenset(f"{plan.name}@{release.number}" for release, _ in await releases_of(r, plan.id)),
        fields=carried_by(plan.champion.card.context),
    )


def _line(one: Finding) -> FoundLine:
    return FoundLine(level=one.level, rule=one.rule, flag=one.flag, place=one.place, said=one.said)
