"""The SQL of counting a trial: its runs as the worker counts them, and what people said of its disagreements."""

from collections import defaultdict
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import literal_column, select

from gateway.labels import Answer, LabelSchema
from gateway.store.leases import move_cursor, read_cursor
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.schema.serves import LabelSchemaRow, ReleaseRow, ServingRow, TrialRow
from gateway.store.schema.work import (
    CaseRow,
    CaseState,
    ClosedReason,
    OutcomeRow,
    OutcomeStatus,
    OutcomeVerdictRow,
    VerdictRow,
)
from gateway.trial import OTHER, trial_rule
from review.store.verdicts import Shown

_DISAGREEMENT = CaseRow.kind == literal_column("'disagreement'")
"""Written out, so that the index of disagreements is used."""


class Runs(msgspec.Struct, frozen=True, kw_only=True):
    """What the shadow runs of a trial came to."""

    compared: int = 0
    """Items that both releases answered."""
    disagreements: int = 0
    """Those about which they differ, drawn or not."""
    missing: int = 0
    """Runs that were dropped, failed or timed out."""


class TrialFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A trial as its row has it; the releases by their numbers."""

    id: UUID
    candidate: int
    champion: int
    """Which release serves now."""
    canary_open: bool
    disagreement_probability: float
    opened_by: str
    opened_us: int
    closed_us: int | None


class AskedDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A disagreement that was put before people, and what they said."""

    release_id: UUID
    """The release that answered the caller."""
    answer: Answer | None
    other: Answer | None
    """What the release in the shadow said."""
    schema: LabelSchema
    state: CaseState
    closed_reason: ClosedReason | None
    status: OutcomeStatus | None
    """Of the outcome; None while there is none."""
    outcome: Answer | None
    choices: frozenset[str]
    """What those chose on whose verdicts the outcome rests."""


async def latest_trial(r: ReadSession, model_id: UUID, release_id: UUID | None = None) -> TrialFacts | None:
    """The model's open trial, or the one that was opened last; of one release where it is given."""
    candidate = select(ReleaseRow.number).where(ReleaseRow.id == TrialRow.release_id).scalar_subquery()
    champion = (
        select(ReleaseRow.number)
        .join(ServingRow, ServingRow.champion_id == ReleaseRow.id)
        .where(ServingRow.model_id == TrialRow.model_id)
        .scalar_subquery()
    )
    statement = (
        select(
            TrialRow.id, candidate.label("candidate"), champion.label("champion"), TrialRow.canary_open,
            TrialRow.disagreement_probability, TrialRow.opened_by, TrialRow.opened_us, TrialRow.closed_us,
        )
        .where(TrialRow.model_id == model_id, *([TrialRow.release_id == release_id] if release_id else []))
        .order_by(TrialRow.closed_us.is_not(None), TrialRow.opened_us.desc(), TrialRow.id.desc())
        .limit(1)
    )  # fmt: skip
    row = (await r.execute(statement)).one_or_none()
    return None if row is None else TrialFacts(**row._mapping)


async def candidate_of(r: ReadSession, trial_id: UUID) -> UUID:
    """The release on trial."""
    return (await r.execute(select(TrialRow.release_id).where(TrialRow.id == trial_id))).scalar_one()


async def differences_of(r: ReadSession, trial_id: UUID) -> list[AskedDifference]:
    """Every disagreement of the trial that was put before people."""
    decided = (OutcomeRow.case_id == CaseRow.id) & (OutcomeRow.round == CaseRow.round) & (CaseRow.state == "settled")
    statement = (
        select(
            CaseRow.id, CaseRow.release_id, CaseRow.answer, CaseRow.evidence, CaseRow.state, CaseRow.closed_reason,
            LabelSchemaRow.body, OutcomeRow.status, OutcomeRow.answer.label("outcome"),
        )
        .join(ReleaseRow, ReleaseRow.id == CaseRow.release_id)
        .join(LabelSchemaRow, LabelSchemaRow.sha256 == ReleaseRow.label_schema)
        .outerjoin(OutcomeRow, decided)
        .where(_DISAGREEMENT, CaseRow.rule == trial_rule(trial_id))
    )  # fmt: skip
    rows: list[Any] = list(await r.execute(statement))
    choices = await _choices(r, trial_id)
    schemas = {body: msgspec.json.decode(body, type=LabelSchema) for body in {row.body for row in rows}}
    return [_asked(row, schemas[row.body], frozenset(choices[row.id])) for row in rows]


async def _choices(r: ReadSession, trial_id: UUID) -> dict[UUID, set[str]]:
    """By case, what those chose on whose verdicts its present outcome rests."""
    rests_on = (
        (OutcomeVerdictRow.prediction_id == OutcomeRow.prediction_id)
        & (OutcomeVerdictRow.item == OutcomeRow.item)
        & (OutcomeVerdictRow.revision == OutcomeRow.revision)
    )
    statement = (
        select(CaseRow.id, VerdictRow.shown)
        .join(OutcomeRow, OutcomeRow.case_id == CaseRow.id)
        .join(OutcomeVerdictRow, rests_on)
        .join(VerdictRow, (VerdictRow.id == OutcomeVerdictRow.verdict_id) & (VerdictRow.round == CaseRow.round))
        .where(_DISAGREEMENT, CaseRow.rule == trial_rule(trial_id))
    )
    found: dict[UUID, set[str]] = defaultdict(set)
    for case_id, shown in await r.execute(statement):
        found[case_id].add(msgspec.json.decode(shown, type=Shown).chosen)
    return found


def _asked(row: Any, schema: LabelSchema, choices: frozenset[str]) -> AskedDifference:
    return AskedDifference(
        release_id=row.release_id,
        answer=_said(row.answer),
        other=msgspec.json.decode(row.evidence).get(OTHER),
        schema=schema,
        state=row.state,
        closed_reason=row.closed_reason,
        status=row.status,
        outcome=_said(row.outcome),
        choices=choices,
    )


def _said(answer: str | None) -> Answer | None:
    return None if answer is None else msgspec.json.decode(answer, type=Answer)


async def open_trials(r: ReadSession) -> frozenset[UUID]:
    """Every trial that has not ended."""
    return frozenset((await r.execute(select(TrialRow.id).where(TrialRow.closed_us.is_(None)))).scalars())


async def count_runs(w: WriteSession, trial_id: UUID, runs: Runs) -> None:
    """Add to the trial's counts, which are kept beside the cursors: they grow with them, in the same transaction."""
    before = await runs_of(w, trial_id)
    for name in Runs.__struct_fields__:
        if more := getattr(runs, name):
            await move_cursor(w, _key(trial_id, name), getattr(before, name) + more)


async def runs_of(r: ReadSession, trial_id: UUID) -> Runs:
    """The trial's counts so far."""
    return Runs(**{name: await read_cursor(r, _key(trial_id, name)) for name in Runs.__struct_fields__})


def _key(trial_id: UUID, name: str) -> str:
    return f"trial:{trial_id}:{name}"
