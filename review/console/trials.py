"""A model's trial under `/console/models/{model}/trial`: figures, intervals, and what they mean."""

from litestar import Controller, Response, get

from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.api.releases import number_of
from review.api.traffic import traffic_of
from review.console.pages import Asked, page
from review.release.progress import show_trial


class TrialsPages(Controller):
    """Trials."""

    path = "/models"
    include_in_schema = False

    @get("/{name:str}/trial", **needs("inspect"))
    async def show(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor, name: str, release: str = ""
    ) -> Response[str]:
        """How the open trial stands, or the last one; with `?release=7` the last one of that release."""
        number = number_of(name, release) if release else None
        trial = await show_trial(ledger, traffic_of(settings, ledger), actor.tenant_id, name, number)
        return page("trial.html", request, trial=trial, evidence=trial.evidence)
