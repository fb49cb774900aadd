"""The SQL of outcomes as a caller's view needs them: every revision with what decides its rank."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import BindParameter, bindparam, func, select

from gateway.holding.seen import OutcomeSeen
from gateway.store.ledger import ReadSession
from gateway.store.schema.work import OutcomeRow, OutcomeUndoneRow, OutcomeVerdictRow


async def outcomes_seen(r: ReadSession, ids: Collection[UUID]) -> dict[UUID, list[OutcomeSeen]]:
    """The outcomes of these predictions by item and revision."""
    found: dict[UUID, list[OutcomeSeen]] = {}
    for row in await r.execute(_OUTCOMES, {"ids": list(ids)}):
        found.setdefault(row.prediction_id, []).append(_outcome(row))
    return found


def _outcome(row: Any) -> OutcomeSeen:
    return OutcomeSeen(
        item=row.item,
        revision=row.revision,
        case_id=row.case_id,
        round=row.round,
        status=row.status,
        answer=None if row.answer is None else msgspec.json.decode(row.answer),
        differs=row.differs,
        release_after_us=row.release_after_us,
        never_released=row.released is False,
        source=row.source,
        verdicts=row.verdicts,
        undone_us=row.undone_us,
    )


# Made once and on plain tables, because a caller waits for them.

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_OUTCOME, _UNDONE, _VOTE = OutcomeRow.__table__.c, OutcomeUndoneRow.__table__.c, OutcomeVerdictRow.__table__.c

_VOTES = (
    select(func.count())
    .select_from(OutcomeVerdictRow.__table__)
    .where(
        _VOTE.prediction_id == _OUTCOME.prediction_id,
        _VOTE.item == _OUTCOME.item,
        _VOTE.revision == _OUTCOME.revision,
    )
    .correlate(OutcomeRow.__table__)
    .scalar_subquery()
)

_OUTCOMES = (
    select(
        _OUTCOME.prediction_id,
        _OUTCOME.item,
        _OUTCOME.revision,
        _OUTCOME.case_id,
        _OUTCOME.round,
        _OUTCOME.status,
        _OUTCOME.answer,
        _OUTCOME.differs,
        _OUTCOME.release_after_us,
        _OUTCOME.source,
        _VOTES.label("verdicts"),
        _UNDONE.released,
        _UNDONE.undone_us,
    )
    .outerjoin(
        OutcomeUndoneRow.__table__,
        (_UNDONE.prediction_id == _OUTCOME.prediction_id)
        & (_UNDONE.item == _OUTCOME.item)
        & (_UNDONE.revision == _OUTCOME.revision),
    )
    .where(_OUTCOME.prediction_id.in_(_IDS))
    .order_by(_OUTCOME.item, _OUTCOME.revision)
)
