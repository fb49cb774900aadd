"""A prediction's story under `/api/v1/predictions/{id}`: the same that the console's page tells."""

from uuid import UUID

from litestar import Controller, get
from litestar.params import SkipValidation

from gateway.record.payloads import ObjectStore
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.traffic import traffic_of
from review.predictions import PredictionStory, tell_story


class PredictionsController(Controller):
    """Predictions."""

    path = "/api/v1/predictions"
    tags = ("traffic",)

    @get("/{prediction_id:uuid}", **needs("inspect"))
    async def show(
        self,
        prediction_id: UUID,
        ledger: Ledger,
        objects: SkipValidation[ObjectStore],
        settings: ApiSettings,
        actor: Actor,
    ) -> PredictionStory:
        """What came in, how it was decided, who judged it, and what its caller was told when."""
        return await tell_story(ledger, traffic_of(settings, ledger), objects, actor.tenant_id, prediction_id)
