"""The SQL of deliveries: what a caller was told. Inserting n = last + 1 is the compare-and-swap."""

from collections.abc import Collection
from uuid import UUID

import msgspec
from sqlalchemy import bindparam, func, insert, select

from gateway.store.ledger import ReadSession, WriteSession
from gateway.store.schema.columns import Table
from gateway.store.schema.predictions import DeliveryKind, DeliveryRow, PredictionRow


class NewDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is about to be made."""

    prediction_id: UUID
    n: int
    kind: DeliveryKind
    outcome_revision: int | None
    response_digest: str


async def last_deliveries(r: ReadSession, ids: Collection[UUID]) -> dict[UUID, int]:
    """The number of the last delivery of each prediction that was not cancelled; 0 before the first."""
    return {row[0]: row[1] for row in await r.execute(_LAST, {"ids": list(ids)})}


async def insert_deliveries(w: WriteSession, new: Collection[NewDelivery], now_us: int) -> None:
    """Write the rows; a number that is taken is refused by the primary key."""
    if new:
        await w.execute(_INSERT, [msgspec.structs.asdict(delivery) | {"delivered_us": now_us} for delivery in new])


# Made once and on plain tables, because a caller waits for them.

_PREDICTION, _DELIVERY = PredictionRow.__table__.c, DeliveryRow.__table__.c

_INSERT = insert(Table.metadata.tables[DeliveryRow.__tablename__])

_LAST = (
    select(_PREDICTION.id, func.coalesce(func.max(_DELIVERY.n), 0))
    .outerjoin(DeliveryRow.__table__, _DELIVERY.prediction_id == _PREDICTION.id)
    .where(_PREDICTION.id.in_(bindparam("ids", expanding=True)), _PREDICTION.cancelled_us.is_(None))
    .group_by(_PREDICTION.id)
)
