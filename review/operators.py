"""Who may operate a model: a person with that role for it, or a key whose scope opened the route."""

from uuid import UUID

from gateway.errors import UnknownModel
from gateway.store.ledger import WriteSession
from gateway.store.models import lock_model
from gateway.store.schema.serves import ModelRow
from review.actors import Actor


def require_operator(actor: Actor, model_id: UUID | None) -> None:
    """Return if they may operate the model, or all models where none is named. Raises: NotAllowed."""
    if actor.kind == "person":
        actor.require("operator", model_id)


async def operated_model(w: WriteSession, actor: Actor, name: str) -> ModelRow:
    """The model to be operated, locked for the transaction. Raises: UnknownModel, NotAllowed."""
    model = await lock_model(w, actor.tenant_id, name)
    if model is None:
        raise UnknownModel(model=name[:80])
    require_operator(actor, model.id)
    return model
