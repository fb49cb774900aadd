"""A model's trial under `/api/v1/models/{model}/trial`: how the candidate does beside the champion."""

from litestar import Controller, get

from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.traffic import traffic_of
from review.release.progress import TrialShown, show_trial


class TrialsController(Controller):
    """Trials."""

    path = "/api/v1/models"
    tags = ("models",)

    @get("/{model:str}/trial", **needs("inspect"))
    async def show_trial(self, model: str, ledger: Ledger, actor: Actor, settings: ApiSettings) -> TrialShown:
        """How the open trial stands, or the last one: agreement, wins and losses, run times, errors, missing runs."""
        return await show_trial(ledger, traffic_of(settings, ledger), actor.tenant_id, model)
