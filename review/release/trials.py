"""Trials: a candidate is shadowed beside the champion and, once an operator opens its canary, may answer.

A trial compares with the champion, so it ends when another release comes to serve. Which requests are shadowed or
answered by the candidate is for the flags `<model>.shadow` and `<model>.candidate`.
"""

from uuid import UUID

import msgspec

from gateway.record.payloads import ObjectStore
from gateway.registry.asking_room import ask_for_room
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.plans import plan_revision
from review.actors import Actor
from review.operators import operated_model, require_operator
from review.release.candidate import faults_of, read_candidate
from review.release.errors import NoTrial, TrialOpen, TrialRefused
from review.release.moving import read_standing, require_why
from review.store.trials import begin_trial, end_trial, open_canary, open_trial_of


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """A trial to be opened."""

    number: int
    """The candidate's."""
    disagreement_probability: float = 1.0
    """The probability with which an item on which the releases differ is put before people."""
    why: str


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A model's trial after a change; without a candidate none is open."""

    model: str
    candidate: str | None
    canary_open: bool
    disagreement_probability: float | None
    opened_by: str | None
    opened_us: int | None
    plan_revision: int
    """A gateway whose plan has this revision, or a later one, follows it."""


async def open_trial(
    ledger: Ledger, artifacts: ObjectStore, actor: Actor, name: str, asked: Opening, memory_max_bytes: int = 0
) -> Trial:
    """Put a release on trial, its canary closed.

    Raises: ReasonMissing, UnknownModel, NotAllowed, NoSuchRelease, AlreadyServes, TrialRefused, TrialOpen,
    ModelsDoNotFit.
    """
    require_why(asked.why)
    async with ledger.reading() as r:
        now = await read_standing(r, actor.tenant_id, name)
        require_operator(actor, now.model.id)
        candidate = await read_candidate(r, now, asked.number)
    faults = await faults_of(artifacts, candidate)  # beside the transaction: it reads whole files
    if faults:
        raise TrialRefused(release=candidate.name, reasons=" ".join(faults))
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        await read_candidate(w, await read_standing(w, actor.tenant_id, name), asked.number)
        if (found := await open_trial_of(w, model.id)) is not None:
            raise TrialOpen(release=f"{name}@{found[1]}")
        probability = asked.disagreement_probability
        await begin_trial(w, model, candidate.release, probability, by=actor.by, why=asked.why)
        await ask_for_room(w, memory_max_bytes, actor.tenant_id, name, candidate.release.id)
        return await _told(w, name, model.id)


async def let_answer(ledger: Ledger, actor: Actor, name: str, why: str, memory_max_bytes: int = 0) -> Trial:
    """Open the canary of the open trial.

    Raises: ReasonMissing, UnknownModel, NotAllowed, NoTrial, ModelsDoNotFit.
    """
    require_why(why)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        found = await open_trial_of(w, model.id)
        if found is None:
            raise NoTrial(model=name)
        if not found[0].canary_open:
            await open_canary(w, model, *found, by=actor.by, why=why)
            await ask_for_room(w, memory_max_bytes, actor.tenant_id, name, found[0].release_id)
        return await _told(w, name, model.id)


async def close_trial(ledger: Ledger, actor: Actor, name: str, why: str) -> Trial:
    """Close the open trial. Raises: ReasonMissing, UnknownModel, NotAllowed, NoTrial."""
    require_why(why)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        if await end_trial(w, model, by=actor.by, why=why) is None:
            raise NoTrial(model=name)
        return await _told(w, name, model.id)


async def _told(r: ReadSession, name: str, model_id: UUID) -> Trial:
    found, revision = await open_trial_of(r, model_id), await plan_revision(r)
    trial = found[0] if found is not None else None
    return Trial(
        model=name,
        candidate=f"{name}@{found[1]}" if found is not None else None,
        canary_open=trial is not None and trial.canary_open,
        disagreement_probability=trial.disagreement_probability if trial is not None else None,
        opened_by=trial.opened_by if trial is not None else None,
        opened_us=trial.opened_us if trial is not None else None,
        plan_revision=revision,
    )
