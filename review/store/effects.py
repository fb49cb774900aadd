"""The SQL of effects: what a settled answer is about, the releases that are measured, the rows and their counts."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, insert, select

from gateway.labels import Answer
from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.schema.learning import DatasetRow, EffectRow
from gateway.store.schema.predictions import PayloadRow, PredictionRow
from gateway.store.schema.serves import ModelRow, ReleaseMarkRow, ReleaseRow, ServingRow, TrialRow
from gateway.store.schema.work import CaseKind, CaseRow, OutcomeRow, VerdictRow
from review.learning.effect import Counted


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What an item's settled answer says about the champion and the candidate of that moment."""

    prediction_id: UUID
    item: int
    outcome_revision: int
    model_id: UUID
    corrected: bool
    settled_us: int
    champion_id: UUID
    champion_answer: Answer | None
    champion_right: bool | None
    candidate_id: UUID | None
    candidate_answer: Answer | None
    candidate_right: bool | None
    measured_us: int


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A settled item: its model, its input, and what was said of it when it was decided."""

    model_id: UUID
    model: str
    items: int
    payload: str | None
    """The SHA-256 of what came in; None where it was not kept or was erased."""
    release_id: UUID
    rule: str
    kind: CaseKind | None
    """Of the case that settled it; None where a service said what is right."""
    said: Answer | None
    settled_us: int


class SettledCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case with what it was settled by."""

    id: UUID
    kind: CaseKind
    state: str
    prediction_id: UUID
    item: int
    model: str
    release: int
    said: Answer | None
    status: str | None
    """Of the outcome of its present round; None while there is none."""
    answer: Answer | None
    differs: bool | None
    revision: int | None


async def items_of_cases(r: ReadSession, cases: Sequence[UUID]) -> dict[UUID, tuple[UUID, int]]:
    """Prediction and item of each of these cases."""
    statement = select(CaseRow.id, CaseRow.prediction_id, CaseRow.item).where(CaseRow.id.in_(cases))
    return {row.id: (row.prediction_id, row.item) for row in await r.execute(statement)}


async def read_subject(r: ReadSession, prediction_id: UUID, item: int, revision: int) -> Subject:
    """What an outcome is about; of its item's cases the one that settled it, or else any other."""
    statement = (
        select(
            PredictionRow.model_id, ModelRow.name.label("model"), PredictionRow.items, PayloadRow.sha256,
            PayloadRow.erased_us, CaseRow.release_id, PredictionRow.release_id.label("answered_by"), CaseRow.rule,
            CaseRow.kind, CaseRow.answer, OutcomeRow.created_us.label("settled_us"), OutcomeRow.case_id,
        )
        .join(PredictionRow, PredictionRow.id == OutcomeRow.prediction_id)
        .join(ModelRow, ModelRow.id == PredictionRow.model_id)
        .outerjoin(PayloadRow, PayloadRow.id == PredictionRow.input_payload_id)
        .outerjoin(CaseRow, (CaseRow.prediction_id == OutcomeRow.prediction_id) & (CaseRow.item == OutcomeRow.item))
        .where(OutcomeRow.prediction_id == prediction_id, OutcomeRow.item == item, OutcomeRow.revision == revision)
        .order_by((CaseRow.id == OutcomeRow.case_id).desc(), CaseRow.created_us)
    )  # fmt: skip
    row = (await r.execute(statement)).first()
    assert row is not None
    return Subject(
        model_id=row.model_id,
        model=row.model,
        items=row.items,
        payload=row.sha256 if row.erased_us is None else None,
        release_id=row.release_id or row.answered_by,
        rule=row.rule or "",
        kind=row.kind if row.case_id is not None else None,
        said=_answer(row.answer),
        settled_us=row.settled_us,
    )


async def releases_beside(r: ReadSession, model_id: UUID) -> tuple[UUID, UUID | None] | None:
    """The champion, and the release that is compared with it: the one on trial, or else the newest one of another
    version that was made after the champion and not withdrawn. None where nothing serves."""
    champion = await _champion(r, model_id)
    if champion is None:
        return None
    on_trial = select(TrialRow.release_id).where(TrialRow.model_id == model_id, TrialRow.closed_us.is_(None))
    withdrawn = select(ReleaseMarkRow.release_id).where(ReleaseMarkRow.mark == "withdrawn")
    newer = (
        select(ReleaseRow.id)
        .where(ReleaseRow.model_id == model_id, ReleaseRow.number > champion.number)
        .where(ReleaseRow.version_id != champion.version_id, ReleaseRow.id.not_in(withdrawn))
        .order_by(ReleaseRow.number.desc())
        .limit(1)
    )
    candidate = (await r.execute(on_trial)).scalar_one_or_none() or (await r.execute(newer)).scalar_one_or_none()
    return champion.id, candidate


async def _champion(r: ReadSession, model_id: UUID) -> ReleaseRow | None:
    statement = select(ReleaseRow).join(ServingRow, ServingRow.champion_id == ReleaseRow.id)
    return (await r.execute(statement.where(ServingRow.model_id == model_id))).scalar_one_or_none()


async def keep_effect(w: WriteSession, effect: Effect) -> None:
    """Write an item's effect in the place of what was there."""
    await drop_effect(w, effect.prediction_id, effect.item)
    values = msgspec.structs.asdict(effect)
    for name in ("champion_answer", "candidate_answer"):
        values[name] = None if values[name] is None else msgspec.json.encode(values[name]).decode()
    await w.execute(insert(EffectRow).values(**values))


async def drop_effect(w: WriteSession, prediction_id: UUID, item: int) -> None:
    """Take an item's effect away."""
    await w.execute(delete(EffectRow).where(EffectRow.prediction_id == prediction_id, EffectRow.item == item))


async def effect_of(r: ReadSession, prediction_id: UUID, item: int) -> Effect | None:
    """An item's effect."""
    columns = [getattr(EffectRow, name) for name in Effect.__struct_fields__]
    statement = select(*columns).where(EffectRow.prediction_id == prediction_id, EffectRow.item == item)
    row = (await r.execute(statement)).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)
    champion, candidate = _answer(values.pop("champion_answer")), _answer(values.pop("candidate_answer"))
    return Effect(**values, champion_answer=champion, candidate_answer=candidate)


async def counts_since(r: ReadSession, like: Effect, since_us: int) -> list[Counted]:
    """The settled items of the model since a moment on which the same two releases were run."""
    columns = (EffectRow.corrected, EffectRow.champion_right, EffectRow.candidate_right)
    statement = (
        select(*columns, func.count().label("n"))
        .where(EffectRow.model_id == like.model_id, EffectRow.champion_id == like.champion_id)
        .where(EffectRow.candidate_id.is_not_distinct_from(like.candidate_id), EffectRow.settled_us > since_us)
        .group_by(*columns)
    )
    return [Counted(**row._mapping) for row in await r.execute(statement)]


async def newest_dataset(r: ReadSession, model_id: UUID) -> tuple[str, int] | None:
    """SHA-256 and moment of a model's newest dataset."""
    statement = select(DatasetRow.sha256, DatasetRow.created_us).where(DatasetRow.model_id == model_id)
    row = (await r.execute(statement.order_by(DatasetRow.created_us.desc()).limit(1))).one_or_none()
    return None if row is None else (row.sha256, row.created_us)


async def release_numbers(r: ReadSession, releases: Sequence[UUID]) -> dict[UUID, int]:
    """The numbers of these releases."""
    statement = select(ReleaseRow.id, ReleaseRow.number).where(ReleaseRow.id.in_(releases))
    return {row.id: row.number for row in await r.execute(statement)}


async def settled_case(r: ReadSession, case_id: UUID, tenant_id: UUID) -> SettledCase | None:
    """A case of a tenant with the outcome of its present round, if there is one."""
    statement = (
        select(
            CaseRow.id, CaseRow.kind, CaseRow.state, CaseRow.prediction_id, CaseRow.item, ModelRow.name.label("model"),
            ReleaseRow.number.label("release"), CaseRow.answer.label("said"), OutcomeRow.status, OutcomeRow.answer,
            OutcomeRow.differs, OutcomeRow.revision,
        )
        .join(ModelRow, ModelRow.id == CaseRow.model_id)
        .join(ReleaseRow, ReleaseRow.id == CaseRow.release_id)
        .outerjoin(OutcomeRow, (OutcomeRow.case_id == CaseRow.id) & (OutcomeRow.round == CaseRow.round))
        .where(CaseRow.id == case_id, CaseRow.tenant_id == tenant_id)
    )  # fmt: skip
    row = (await r.execute(statement)).one_or_none()
    return None if row is None else _settled(dict(row._mapping))


async def case_of_verdict(r: ReadSession, verdict_id: UUID, person_id: UUID) -> UUID | None:
    """The case that a person's own verdict judged."""
    statement = select(VerdictRow.case_id).where(VerdictRow.id == verdict_id, VerdictRow.person_id == person_id)
    return (await r.execute(statement)).scalar_one_or_none()


def _settled(values: dict[str, Any]) -> SettledCase:
    said, answer = _answer(values.pop("said")), _answer(values.pop("answer"))
    return SettledCase(**values, said=said, answer=answer)


def _answer(text: str | None) -> Answer | None:
    return None if text is None else msgspec.json.decode(text, type=Answer)
