"""Evaluations under `/console/evaluations`: how good a release is, in words, plots and tables."""

from uuid import UUID

from litestar import Controller, Response, get

from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.console.pages import Asked, page
from review.learning.evaluations import list_evaluations, show_evaluation


class EvaluationsPages(Controller):
    """Evaluations."""

    path = "/evaluations"
    include_in_schema = False

    @get("/of/{model:str}", **needs("inspect"))
    async def show_all(self, request: Asked, ledger: Ledger, actor: Actor, model: str) -> Response[str]:
        """Every evaluation of a model's releases, the newest first."""
        async with ledger.reading() as r:
            evaluations = await list_evaluations(r, actor.tenant_id, model)
        return page("evaluations.html", request, model=model, evaluations=evaluations)

    @get("/{evaluation:uuid}", **needs("inspect"))
    async def show(
        self, request: Asked, ledger: Ledger, settings: ApiSettings, actor: Actor, evaluation: UUID
    ) -> Response[str]:
        """One evaluation with its figures; each changed item that is here leads to its prediction."""
        async with ledger.reading() as r:
            shown = await show_evaluation(r, LocalObjects(settings.artifacts), actor.tenant_id, evaluation)
        return page("evaluation.html", request, shown=shown, report=shown.report, known=shown.known)
