"""The SQL of erasing payloads: the row and its digest stay, the object goes."""

from uuid import UUID

from sqlalchemy import or_, select, update

from gateway.store.ledger import WriteSession
from gateway.store.schema.predictions import PayloadRow, PredictionRow


async def erase_payloads(w: WriteSession, prediction_id: UUID, at_us: int) -> bool:
    """Mark what a prediction's caller sent and was answered as erased; False, and nothing marked, on a legal hold."""
    sides = or_(PredictionRow.input_payload_id == PayloadRow.id, PredictionRow.output_payload_id == PayloadRow.id)
    found = await w.execute(
        select(PayloadRow.id, PayloadRow.legal_hold).join(PredictionRow, sides).where(PredictionRow.id == prediction_id)
    )
    payloads = found.all()
    if any(payload.legal_hold for payload in payloads):
        return False
    ids = [payload.id for payload in payloads]
    await w.execute(
        update(PayloadRow).where(PayloadRow.id.in_(ids), PayloadRow.erased_us.is_(None)).values(erased_us=at_us)
    )
    return True
