"""The SQL of simulations: what is known of the items they count, and of those who judge them."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select

from gateway.store.ledger import ReadSession
from gateway.store.schema.predictions import PredictionRow
from gateway.store.schema.who import ApiKeyRow, PersonRow
from gateway.store.schema.work import CaseRow, OutcomeRow, QueueMemberRow, VerdictRow
from review.simulation.load import Pace, pace_of


async def wrong_items(r: ReadSession, model_id: UUID, since_us: int) -> dict[str, dict[int, bool]]:
    """By prediction and item of the holds and audits since then that people settled: whether the model was wrong.

    The answers of precedents are people's own, and what a caller took back counts for nothing.
    """
    settled = (OutcomeRow.case_id == CaseRow.id) & (OutcomeRow.round == CaseRow.round) & (CaseRow.state == "settled")
    wrong = (OutcomeRow.status == "unanswerable") | OutcomeRow.differs.is_(True)
    statement = (
        select(CaseRow.prediction_id, CaseRow.item, wrong)
        .select_from(PredictionRow)
        .join(CaseRow, CaseRow.prediction_id == PredictionRow.id)
        .join(OutcomeRow, settled)
        .where(CaseRow.model_id == model_id, PredictionRow.created_us >= since_us)
        .where(PredictionRow.decided_rule != "precedent")
        .where(CaseRow.kind.in_(("hold", "audit")), CaseRow.caller_withdrew.is_(False))
    )
    found: dict[str, dict[int, bool]] = {}
    for prediction_id, item, is_wrong in await r.execute(statement):
        found.setdefault(str(prediction_id), {})[item] = bool(is_wrong)
    return found


async def pace_since(r: ReadSession, model_id: UUID, since_us: int) -> Pace | None:
    """How long the verdicts on a model's holds and audits took since then."""
    seconds = VerdictRow.active_s
    statement = (
        select(func.count(), func.coalesce(func.sum(seconds), 0.0), func.coalesce(func.sum(seconds * seconds), 0.0))
        .select_from(VerdictRow)
        .join(CaseRow, CaseRow.id == VerdictRow.case_id)
        .where(CaseRow.model_id == model_id, CaseRow.kind.in_(("hold", "audit")), VerdictRow.created_us >= since_us)
    )
    n, total, squares = (await r.execute(statement)).one()
    return pace_of(int(n), float(total), float(squares))


async def count_reviewers(r: ReadSession, queue_id: UUID) -> int:
    """How many people may judge the cases of a queue; those whose verdicts were only imported are not among them."""
    statement = (
        select(func.count())
        .select_from(QueueMemberRow)
        .join(PersonRow, PersonRow.id == QueueMemberRow.person_id)
        .where(QueueMemberRow.queue_id == queue_id, PersonRow.disabled_us.is_(None), PersonRow.replayed.is_(False))
    )
    return int((await r.execute(statement)).scalar_one())


async def key_names(r: ReadSession, ids: Collection[UUID]) -> dict[str, str]:
    """The names of keys, by their ids."""
    rows = await r.execute(select(ApiKeyRow.id, ApiKeyRow.name).where(ApiKeyRow.id.in_(ids)))
    return {str(row.id): row.name for row in rows}
