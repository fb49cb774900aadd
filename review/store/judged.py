"""The SQL of what people said of a release's answers since a moment: what was audited, and what was judged at all."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from gateway.store.ledger import ReadSession
from gateway.store.schema.predictions import DeliveryRow, PredictionRow
from gateway.store.schema.work import CaseRow, OutcomeRow


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """So many items of one kind, drawn with one probability, of which people said the same."""

    kind: str
    """`hold` or `audit`."""
    inclusion_probability: float | None
    wrong: bool | None
    """Whether people said something else than the model, or that no answer is right; None where they said nothing."""
    items: int


async def judged_since(r: ReadSession, tenant_id: UUID, release_id: UUID, since_us: int) -> list[Judged]:
    """What people said of the holds and audits of predictions that a release made since then.

    The answers of precedents are people's own, and what a caller took back counts for nothing.
    """
    settled = (OutcomeRow.case_id == CaseRow.id) & (OutcomeRow.round == CaseRow.round) & (CaseRow.state == "settled")
    wrong = (OutcomeRow.status == "unanswerable") | OutcomeRow.differs.is_(True)
    statement = (
        select(CaseRow.kind, CaseRow.inclusion_probability, wrong.label("wrong"), func.count())
        .select_from(PredictionRow)
        .join(CaseRow, CaseRow.prediction_id == PredictionRow.id)
        .outerjoin(OutcomeRow, settled)
        .where(PredictionRow.tenant_id == tenant_id, PredictionRow.created_us >= since_us)
        .where(PredictionRow.release_id == release_id, PredictionRow.decided_rule != "precedent")
        .where(CaseRow.kind.in_(("hold", "audit")), CaseRow.caller_withdrew.is_(False))
        .group_by(CaseRow.kind, CaseRow.inclusion_probability, wrong)
        .order_by(CaseRow.kind, CaseRow.inclusion_probability, wrong)
    )
    rows: list[Any] = list(await r.execute(statement))
    return [
        Judged(kind=kind, inclusion_probability=probability, wrong=None if said is None else bool(said), items=items)
        for kind, probability, said, items in rows
    ]


async def refused_since(r: ReadSession, tenant_id: UUID, release_id: UUID, since_us: int) -> int:
    """How many held predictions that a release made since then were refused; those that no release was asked for aside.

    What was held before any release was looked at, as after a halt, says nothing of the release.
    """
    statement = (
        select(func.count(PredictionRow.id.distinct()))
        .join(DeliveryRow, DeliveryRow.prediction_id == PredictionRow.id)
        .where(PredictionRow.tenant_id == tenant_id, PredictionRow.created_us >= since_us)
        .where(PredictionRow.release_id == release_id, PredictionRow.decided_path != "review")
        .where(DeliveryRow.kind == "refusal")
    )
    return int((await r.execute(statement)).scalar_one())
