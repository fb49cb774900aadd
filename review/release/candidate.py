"""A release that shall serve, beside what serves now, and what nobody can force."""

import msgspec

from gateway.protocol.signature import Signature
from gateway.record.payloads import ObjectStore
from gateway.store.ledger import ReadSession
from gateway.store.models import upstream_of
from gateway.store.schema.serves import ReleaseRow
from review.release.attached import attachment_faults
from review.release.errors import AlreadyServes, NoSuchRelease
from review.release.moving import Standing
from review.store.releases import Attached, attached_to, find_release, is_withdrawn, version_of, version_signature


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A release that shall serve, beside what serves now."""

    now: Standing
    release: ReleaseRow
    attached: tuple[Attached, ...]
    withdrawn: bool
    signature: Signature | None
    upstream: str | None
    """Where it runs, if it does not run here; then no file belongs to it."""

    @property
    def name(self) -> str:
        """Such as `sentiment@7`."""
        return f"{self.now.model.name}@{self.release.number}"


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
        upstream=upstream_of(await version_of(r, release)),
    )


async def faults_of(artifacts: ObjectStore, candidate: Candidate) -> tuple[str, ...]:
    """Every reason for which nobody may promote the release, whatever is forced."""
    faults = await attachment_faults(artifacts, candidate.attached)
    if candidate.upstream is None and not any(each.role == "model" for each in candidate.attached):
        faults = ("No model file is attached.", *faults)
    declared, found = msgspec.json.decode(candidate.now.model.signature, type=Signature), candidate.signature
    if found is None or (found.inputs, found.outputs) != (declared.inputs, declared.outputs):
        faults += ("Its version takes or gives other tensors than the model does.",)
    if candidate.withdrawn:
        faults += ("It was withdrawn by a rollback; make a new release of its version if it shall serve.",)
    return faults
