"""Evaluations under `/api/v1/releases/{release}/evaluations` and `/api/v1/evaluations`: releases run over datasets."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post

from gateway.record.payloads import LocalObjects
from gateway.store.ledger import Ledger
from review.actors import Actor
from review.api.guards import needs
from review.api.parts import ApiSettings
from review.console.report import HTML, report_policy
from review.learning.evaluations import EvaluationLine, Places, evaluate_release, list_evaluations, read_evaluation
from review.learning.report import Evaluated, Report


class Evaluating(msgspec.Struct, frozen=True, kw_only=True):
    """On which dataset a release is evaluated; the seed chooses which changed items are listed where there are many."""

    dataset: str
    seed: Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)] = 0


class EvaluationsController(Controller):
    """Evaluations."""

    path = "/api/v1"
    tags = ("evaluations",)

    @post("/releases/{release:str}/evaluations", **needs("operate"))
    async def evaluate(
        self, release: str, data: Evaluating, ledger: Ledger, actor: Actor, settings: ApiSettings
    ) -> Evaluated:
        """Run a release over the held-out items of a dataset, beside the champion; answers when that is done."""
        places = Places(artifacts=LocalObjects(settings.artifacts), upstreams=settings.upstreams)
        return await evaluate_release(ledger, places, actor, release, data.dataset, data.seed)

    @get("/releases/{release:str}/evaluations", **needs("inspect"))
    async def list_all(self, release: str, ledger: Ledger, actor: Actor) -> list[EvaluationLine]:
        """The evaluations of a release such as sentiment@7, or of all releases of a model, the newest first."""
        async with ledger.reading() as r:
            return await list_evaluations(r, actor.tenant_id, release)

    @get("/evaluations/{evaluation_id:uuid}", **needs("inspect"))
    async def show(self, evaluation_id: UUID, ledger: Ledger, actor: Actor, settings: ApiSettings) -> Report:
        """The report of an evaluation, with all of its figures."""
        async with ledger.reading() as r:
            return (await read_evaluation(r, LocalObjects(settings.artifacts), actor.tenant_id, evaluation_id))[0]

    @get("/evaluations/{evaluation_id:uuid}/page", **needs("inspect"))
    async def page(self, evaluation_id: UUID, ledger: Ledger, actor: Actor, settings: ApiSettings) -> Response[bytes]:
        """The same report as one page of HTML that stands by itself."""
        async with ledger.reading() as r:
            _, html = await read_evaluation(r, LocalObjects(settings.artifacts), actor.tenant_id, evaluation_id)
        headers = {"content-security-policy": report_policy(), "cache-control": "no-store"}
        return Response(html, media_type=HTML, headers=headers)
