"""Promotes a release: from then on it serves its model, and the champion before it stays warm as `previous`.

The gate decides; force overrides it, and nothing that a digest or admission says. Where the model has four eyes, one
person asks and another confirms, unless the release only raises human control.
"""

from uuid import UUID

import msgspec

from gateway.record.payloads import ObjectStore
from gateway.registry.asking_room import ask_for_room
from gateway.store.ledger import Ledger, WriteSession
from review.actors import Actor
from review.operators import operated_model, require_operator
from review.release.candidate import Candidate, read_candidate
from review.release.collect import judged
from review.release.errors import PromoteRefused
from review.release.gate import GateReport
from review.release.guarding import foretold
from review.release.moving import Moved, Preview, move, preview_of, read_standing, require_why, standing_of
from review.release.second import Request, ask, asked_of, require_second
from review.store.declared import GUARD
from review.store.pointer import Move


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: which release, and why."""

    number: int
    why: str
    force: bool = False
    """Whether the gate is overridden."""
    confirm: bool = False
    """Whether this confirms, as a second person, what another one asked for."""
    expected_revision: int | None = None
    """Refused when something else serves by now than at this revision."""


class PromotionTold(msgspec.Struct, frozen=True, kw_only=True):
    """What a promotion changes, what the gate says of it, and what came of it."""

    preview: Preview
    gate: GateReport
    guard: str
    """What will be watched afterwards, in a sentence."""
    four_eyes: bool
    """Whether one person has to ask for it and another to confirm it."""
    request: Request | None
    """What waits for a second person."""
    moved: Moved | None = None
    """None for a preview, and while a second person has to confirm."""


async def read_for(ledger: Ledger, tenant_id: UUID, name: str, number: int) -> Candidate:
    """The release that shall serve. Raises: UnknownModel, NoSuchRelease, AlreadyServes."""
    async with ledger.reading() as r:
        return await read_candidate(r, await read_standing(r, tenant_id, name), number)


async def preview_promotion(
    ledger: Ledger, artifacts: ObjectStore, tenant_id: UUID, name: str, number: int
) -> PromotionTold:
    """What a promotion would change, and what the gate says. Raises: UnknownModel, NoSuchRelease, AlreadyServes."""
    return await _look(ledger, artifacts, await read_for(ledger, tenant_id, name, number))


async def gate_of(ledger: Ledger, artifacts: ObjectStore, tenant_id: UUID, name: str, number: int) -> GateReport:
    """What the gate says of a release now. Raises: UnknownModel, NoSuchRelease, AlreadyServes."""
    return await judged(ledger, artifacts, await read_for(ledger, tenant_id, name, number))


async def promote(
    ledger: Ledger, artifacts: ObjectStore, actor: Actor, name: str, asked: Promotion, memory_max_bytes: int = 0
) -> PromotionTold:
    """Promote a release for an operator, or record that it waits for a second person.

    Raises: ReasonMissing, UnknownModel, NotAllowed, NoSuchRelease, AlreadyServes, PromoteRefused, ServingChanged,
    NotAPerson, NothingToConfirm, SecondPersonNeeded, ModelsDoNotFit.
    """
    require_why(asked.why)
    candidate = await read_for(ledger, actor.tenant_id, name, asked.number)
    require_operator(actor, candidate.now.model.id)
    looked = await _look(ledger, artifacts, candidate)
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        now = await standing_of(w, model, asked.expected_revision or candidate.now.pointer.revision)
        candidate = msgspec.structs.replace(candidate, now=now)
        request = require_second(await asked_of(w, candidate), candidate, actor) if asked.confirm else None
        require_passable(candidate, looked.gate, force=request.force if request is not None else asked.force)
        if request is None and looked.four_eyes:
            request = await ask(w, candidate, actor, asked.why, force=asked.force)
            return msgspec.structs.replace(looked, request=request)
        moved = await _write(w, candidate, looked.gate, actor, asked, request)
        await ask_for_room(w, memory_max_bytes, actor.tenant_id, name, candidate.release.id)
        return msgspec.structs.replace(looked, request=None, moved=moved)


async def _look(ledger: Ledger, artifacts: ObjectStore, candidate: Candidate) -> PromotionTold:
    gate = await judged(ledger, artifacts, candidate)
    async with ledger.reading() as r:
        declared = await GUARD.latest(r, candidate.now.model.id)
        return PromotionTold(
            preview=await preview_of(r, candidate.now, candidate.release),
            gate=gate,
            guard=foretold(declared.declaration if declared is not None else None),
            four_eyes=candidate.now.model.four_eyes and not gate.at_once,
            request=await asked_of(r, candidate),
        )


def require_passable(candidate: Candidate, gate: GateReport, *, force: bool) -> None:
    """Return if the gate lets the release through, or may be forced. Raises: PromoteRefused with every reason."""
    untouchable = [check for check in gate.checks if check.name == "artifacts" and check.verdict != "promote"]
    if untouchable or (gate.verdict != "promote" and not force):
        raise PromoteRefused(release=candidate.name, reasons=" ".join(gate.reasons("refuse", "wait")))


async def _write(
    w: WriteSession, candidate: Candidate, gate: GateReport, actor: Actor, asked: Promotion, request: Request | None
) -> Moved:
    """Move the pointer; of two people the first one is who promotes."""
    first, force = (actor.by, asked.force) if request is None else (request.by, request.force)
    to_be = Move(
        champion_id=candidate.release.id,
        previous_id=candidate.now.champion.id,
        action="promoted",
        by=first,
        why=asked.why if request is None else f"{request.why} (confirmed: {asked.why})",
        at_us=await w.now_us(),
        gate=msgspec.json.encode(gate).decode(),
        forced=force and gate.verdict != "promote",
        second_person=actor.by if request is not None else None,
    )
    return await move(w, candidate.now, candidate.release, to_be)
