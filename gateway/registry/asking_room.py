"""Asks, in the transaction that changes what serves, whether gateways have the memory for it."""

from uuid import UUID

from gateway.registry.room import require_room
from gateway.store.ledger import ReadSession
from gateway.store.serving import read_plan, release_plan


async def ask_for_room(r: ReadSession, max_bytes: int, tenant_id: UUID, model: str, release_id: UUID) -> None:
    """Return if a release can be kept open beside all that never gives way, as things stand in this transaction.

    Raises: ModelsDoNotFit.
    """
    if max_bytes:
        models = tuple((await read_plan(r)).models.values())
        require_room(models, max_bytes, await release_plan(r, model, release_id), tenant_id)
