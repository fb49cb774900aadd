"""The records of a bundle that are made from rows: the release itself, its trials, and when it served."""

from uuid import UUID

import msgspec

from gateway.store.events import Event
from gateway.store.ledger import ReadSession
from gateway.store.models import model_file_of, releases_of
from gateway.store.schema.serves import ModelRow, ReleaseRow, TrialRow, VersionRow
from review.release.evidence import TrialEvidence
from review.release.looking import Served, served_times
from review.release.tally import trial_evidence
from review.store.bundles import trial_events, trials_of_release
from review.store.releases import Attached, Mark, attached_to, marks_of


class ReleaseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A release: what it is made of, by digest, and who made it when and why."""

    release: str
    number: int
    version: int
    model_file: str
    """The SHA-256 of the model file, or of the description of the upstream."""
    policy: str
    label_schema: str
    guideline: str
    parent: str | None
    by: str
    why: str | None
    created_us: int
    marks: tuple[Mark, ...]
    attached: tuple[Attached, ...]
    signature: msgspec.Raw
    """The names, datatypes and shapes that callers of the model rely on."""
    four_eyes: bool


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody did in a trial."""

    type: str
    by: str
    why: str
    at_us: int


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A trial of the release: its figures, the verdicts counted, and who opened and closed it."""

    opened_by: str
    opened_us: int
    closed_us: int | None
    canary_open: bool
    disagreement_probability: float
    evidence: TrialEvidence
    happened: tuple[Happened, ...]


async def release_record(r: ReadSession, model: ModelRow, release: ReleaseRow, version: VersionRow) -> ReleaseRecord:
    """The release as a record."""
    numbers = {row.id: row.number for row, _ in await releases_of(r, model.id)}
    return ReleaseRecord(
        release=f"{model.name}@{release.number}",
        number=release.number,
        version=version.number,
        model_file=model_file_of(version),
        policy=release.policy,
        label_schema=release.label_schema,
        guideline=release.guideline,
        parent=f"{model.name}@{numbers[release.parent_id]}" if release.parent_id else None,
        by=release.by,
        why=release.why,
        created_us=release.created_us,
        marks=(await marks_of(r, model.id)).get(release.id, ()),
        attached=await attached_to(r, release.id),
        signature=msgspec.Raw(model.signature.encode()),
        four_eyes=model.four_eyes,
    )


async def trial_records(r: ReadSession, model: ModelRow, release_id: UUID) -> list[TrialRecord]:
    """Every trial of the release, the first one first."""
    return [await _trial(r, model, trial) for trial in await trials_of_release(r, release_id)]


async def served_records(r: ReadSession, model: ModelRow, release: ReleaseRow) -> list[Served]:
    """Every time in which the release served, the latest first."""
    name = f"{model.name}@{release.number}"
    return [each for each in await served_times(r, model) if each.release == name]


async def _trial(r: ReadSession, model: ModelRow, trial: TrialRow) -> TrialRecord:
    return TrialRecord(
        opened_by=trial.opened_by,
        opened_us=trial.opened_us,
        closed_us=trial.closed_us,
        canary_open=trial.canary_open,
        disagreement_probability=trial.disagreement_probability,
        evidence=await trial_evidence(r, trial.id),
        happened=tuple(_happened(event) for event in await trial_events(r, model, trial)),
    )


def _happened(event: Event) -> Happened:
    why = str(msgspec.json.decode(event.data).get("why", ""))
    return Happened(type=event.type, by=event.by, why=why, at_us=event.occurred_us)
