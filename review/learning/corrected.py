"""What the settled answer of a case changed, as its reviewer and the API are told it."""

import asyncio
import time
from uuid import UUID

import msgspec

from gateway.labels import Answer
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.serving import release_plan
from gateway.times import iso
from review.actors import Actor
from review.errors import UnknownCase
from review.learning.effect import Effect, Said, item_words, period_words, tally, training_words
from review.learning.errors import NoEffect
from review.store import effects as store
from review.store.effects import SettledCase
from review.store.recipes import new_corrections, rule_of

POLL_S = 1.0
DATE_CHARS = 10
SHORT_CHARS = 8


class EffectTold(msgspec.Struct, frozen=True, kw_only=True):
    """What the settled answer of a case changed, in figures and in words."""

    case: UUID
    effect: Effect
    about_item: tuple[str, ...]
    """What was said of this very input, and what other releases say."""
    about_period: tuple[str, ...]
    """How often the releases were right since the newest dataset."""


async def effect_of_case(r: ReadSession, tenant_id: UUID, case_id: UUID) -> EffectTold:
    """What the settled answer of a case changed. Raises: UnknownCase, NoEffect."""
    case = await store.settled_case(r, case_id, tenant_id)
    if case is None:
        raise UnknownCase
    told = await _told(r, case, judge="people")
    if told is None:
        raise NoEffect
    return told


async def effect_of_mine(r: ReadSession, actor: Actor, case_id: UUID) -> EffectTold | None:
    """What a correction of one's own changed, as far as it is known; the verdict on the case must be the actor's."""
    case = await store.settled_case(r, case_id, actor.tenant_id)
    return await _told(r, case, judge="you") if case is not None and case.differs else None


async def effect_of_verdict(ledger: Ledger, actor: Actor, verdict_id: UUID, wait_s: float) -> EffectTold | None:
    """What a correction of one's own changed, as soon as it is known; None where it is none, or after `wait_s`."""
    until = time.monotonic() + wait_s
    with ledger.bell.listen() as listener:
        while True:
            async with ledger.reading() as r:
                case = await _corrected(r, actor, verdict_id)
                told = None if case is None else await _told(r, case, judge="you")
            left = until - time.monotonic()
            if case is None or told is not None or left <= 0:
                return told
            await listener.wait(min(POLL_S, left))
            await asyncio.sleep(0)


async def _corrected(r: ReadSession, actor: Actor, verdict_id: UUID) -> SettledCase | None:
    """The case that one's own verdict has corrected, if it has."""
    case_id = await store.case_of_verdict(r, verdict_id, actor.id)
    case = None if case_id is None else await store.settled_case(r, case_id, actor.tenant_id)
    return case if case is not None and case.differs and _tells(case) else None


def _tells(case: SettledCase) -> bool:
    """Whether a case may have an effect; the two answers of a disagreement stay unnamed."""
    return case.state == "settled" and case.status == "answered" and case.kind != "disagreement"


async def _told(r: ReadSession, case: SettledCase, *, judge: str) -> EffectTold | None:
    """The effect, if the case's outcome is what is true of its item and the releases were measured on it."""
    found = await store.effect_of(r, case.prediction_id, case.item)
    if not _tells(case) or found is None or found.outcome_revision != case.revision:
        return None
    effect = await _effect(r, case, found)
    labels = (await release_plan(r, case.model, found.champion_id)).card.labels
    since = "so far"
    if effect.dataset is not None:
        since = f"since the dataset {effect.dataset[:SHORT_CHARS]} of {iso(effect.since_us)[:DATE_CHARS]}"
    period = (*period_words(effect, since), *training_words(effect))
    return EffectTold(
        case=case.id, effect=effect, about_item=tuple(item_words(effect, labels, judge)), about_period=period
    )


async def _effect(r: ReadSession, case: SettledCase, found: store.Effect) -> Effect:
    dataset = await store.newest_dataset(r, found.model_id)
    since_us = 0 if dataset is None else dataset[1]
    counts = await store.counts_since(r, found, since_us)
    names = await _names(r, case.model, found)
    compared = found.candidate_right is not None
    assert case.answer is not None
    return Effect(
        answer=case.answer,
        corrected=bool(case.differs),
        served=Said(release=f"{case.model}@{case.release}", answer=case.said, right=not case.differs),
        champion=_said(names[found.champion_id], found.champion_answer, found.champion_right),
        candidate=_said(names.get(found.candidate_id), found.candidate_answer, found.candidate_right),
        dataset=None if dataset is None else dataset[0],
        since_us=since_us,
        corrections=tally(counts, corrected=True, compared=compared),
        approvals=tally(counts, corrected=False, compared=compared),
        until_training=await _until_training(r, found.model_id),
    )


async def _until_training(r: ReadSession, model_id: UUID) -> int | None:
    rule = await rule_of(r, model_id)
    if rule.recipe is None or rule.after_corrections is None:
        return None
    return max(0, rule.after_corrections - await new_corrections(r, model_id))


async def _names(r: ReadSession, model: str, found: store.Effect) -> dict[UUID | None, str]:
    ids = [each for each in (found.champion_id, found.candidate_id) if each is not None]
    return {each: f"{model}@{number}" for each, number in (await store.release_numbers(r, ids)).items()}


def _said(release: str | None, answer: Answer | None, right: bool | None) -> Said | None:
    return None if release is None or right is None else Said(release=release, answer=answer, right=right)
