"""The SQL of deliveries: what a caller was told. Inserting n = last + 1 is the compare-and-swap."""

from collections.abc import Collection
from uuid import UUID

import msgspec
from sqlalchemy import bindparam, func, insert, select

from gateway.store.ledger import ReadSession, WriteSession
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
        await w.execute(
            insert(DeliveryRow), [msgspec.structs.asdict(delivery) | {"delivered_us": now_us} for delivery in new]
        )


_LAST = (
    select(PredictionRow.id, func.coalesce(func.max(DeliveryRow.n), 0))
    .outerjoin(DeliveryRow, DeliveryRow.prediction_id == PredictionRow.id)
    .where(PredictionRow.id.in_(bindparam("ids", expanding=True)), PredictionRow.cancelled_us.is_(None))
    .group_by(PredictionRow.id)
)
