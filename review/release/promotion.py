"""Promotes a release: from then on it serves its model, and the champion before it stays warm as `previous`."""

from uuid import UUID

import msgspec

from gateway.protocol.signature import Signature
from gateway.record.payloads import ObjectStore
from gateway.store.ledger import Ledger, ReadSession
from gateway.store.schema.serves import ReleaseRow
from review.actors import Actor
from review.operators import operated_model, require_operator
from review.release.attached import attachment_faults
from review.release.errors import AlreadyServes, NoSuchRelease, PromoteRefused
from review.release.moving import Moved, Preview, Standing, move, preview_of, read_standing, require_why, standing_of
from review.store.pointer import Move
from review.store.releases import Attached, attached_to, find_release, is_withdrawn, version_signature


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: which release, and why."""

    number: int
    why: str
    expected_revision: int | None = None
    """Refused when something else serves by now than at this revision."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A release that shall serve, beside what serves now."""

    now: Standing
    release: ReleaseRow
    attached: tuple[Attached, ...]
    withdrawn: bool
    signature: Signature | None

    @property
    def name(self) -> str:
        """Such as `sentiment@7`."""
        return f"{self.now.model.name}@{self.release.number}"


async def preview_promotion(ledger: Ledger, tenant_id: UUID, name: str, number: int) -> Preview:
    """What a promotion would change. Raises: UnknownModel, NoSuchRelease, AlreadyServes."""
    async with ledger.reading() as r:
        candidate = await read_candidate(r, await read_standing(r, tenant_id, name), number)
        return await preview_of(r, candidate.now, candidate.release)


async def promote(ledger: Ledger, artifacts: ObjectStore, actor: Actor, name: str, asked: Promotion) -> Moved:
    """Promote a release for an operator.

    Raises: ReasonMissing, UnknownModel, NotAllowed, NoSuchRelease, AlreadyServes, PromoteRefused, ServingChanged.
    """
    require_why(asked.why)
    async with ledger.reading() as r:
        now = await read_standing(r, actor.tenant_id, name)
        require_operator(actor, now.model.id)
        candidate = await read_candidate(r, now, asked.number)
    faults = await faults_of(artifacts, candidate)  # beside the transaction: it reads whole files
    if faults:
        raise PromoteRefused(release=candidate.name, reasons=" ".join(faults))
    async with ledger.writing() as w:
        model = await operated_model(w, actor, name)
        now = await standing_of(w, model, asked.expected_revision or candidate.now.pointer.revision)
        to_be = Move(
            champion_id=candidate.release.id,
            previous_id=now.champion.id,
            action="promoted",
            by=actor.by,
            why=asked.why,
            at_us=await w.now_us(),
        )
        return await move(w, now, candidate.release, to_be)


async def read_candidate(r: ReadSession, now: Standing, number: int) -> Candidate:
    """The release that shall serve. Raises: NoSuchRelease, AlreadyServes."""
    release = await find_release(r, now.model.id, number)
    if release is None:
        raise NoSuchRelease(model=now.model.name, release=number)
    if release.id == now.champion.id:
        raise AlreadyServes(release=now.champion_name)
    return Candidate(
        now=now,
        release=release,
        attached=await attached_to(r, release.id),
        withdrawn=await is_withdrawn(r, release.id),
        signature=await version_signature(r, release),
    )


async def faults_of(artifacts: ObjectStore, candidate: Candidate) -> tuple[str, ...]:
    """Every reason for which nobody may promote the release, whatever is forced."""
    faults = await attachment_faults(artifacts, candidate.attached)
    if not any(each.role == "model" for each in candidate.attached):
        faults = ("No model file is attached.", *faults)
    declared = msgspec.json.decode(candidate.now.model.signature, type=Signature)
    found = candidate.signature
    if found is None or (found.inputs, found.outputs) != (declared.inputs, declared.outputs):
        faults += ("Its version takes or gives other tensors than the model does.",)
    if candidate.withdrawn:
        faults += ("It was withdrawn by a rollback; make a new release of its version if it shall serve.",)
    return faults
