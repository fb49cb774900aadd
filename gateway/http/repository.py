"""Statistics, model configuration, and the repository's load and unload, as Triton's extensions have them."""

from typing import Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Response

from gateway import catalogue
from gateway.catalogue import ModelConfiguration
from gateway.http.models import ModelName
from gateway.live import Live
from gateway.plan import Caller
from gateway.protocol.messages import ParameterValue
from gateway.reply import Problem
from gateway.statistics import ModelStatistics


class AllStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The statistics of models by version, of the process that answers."""

    model_stats: list[ModelStatistics]


class RepositoryParameters(msgspec.Struct, frozen=True, kw_only=True):
    """What Triton's clients send along."""

    parameters: dict[str, ParameterValue] | None = None


_REFUSED = {
    403: ResponseSpec(Problem, description="Only an operator loads and unloads."),
    404: ResponseSpec(Problem, description="No such model."),
}


class RepositoryController(Controller):
    """What Triton's clients ask beside predictions."""

    path = "/v2"
    tags = ("inference",)

    @get("/models/stats", summary="Statistics of all models")
    async def all_stats(self, live: Live, caller: Caller) -> AllStatistics:
        """What this process answered, by model, version and path, since it began."""
        return AllStatistics(model_stats=catalogue.statistics_of_all(live, caller))

    @get(["/models/{model:str}/stats", "/models/{model:str}/versions/{version:str}/stats"], summary="Statistics")
    async def stats(self, live: Live, caller: Caller, model: ModelName, version: str | None = None) -> AllStatistics:
        """What this process answered with a model, or with one version of it, since it began."""
        return AllStatistics(model_stats=catalogue.statistics_of(live, caller, model, version))

    @get(["/models/{model:str}/config", "/models/{model:str}/versions/{version:str}/config"], summary="Configuration")
    async def config(
        self, live: Live, caller: Caller, model: ModelName, version: str | None = None
    ) -> ModelConfiguration:
        """A model's inputs and outputs in Triton's words."""
        return catalogue.configuration_of(live, caller, model, version)

    @post("/repository/models/{model:str}/load", status_code=200, summary="Load a model", responses=_REFUSED)
    async def load(
        self,
        request: Request[Any, Any, Any],
        live: Live,
        caller: Caller,
        model: ModelName,
        data: RepositoryParameters | None = None,
    ) -> Response[None]:
        """200 when the model's champion is there, 503 when its file cannot be opened; recorded either way."""
        ledger = request.app.state.holds.ledger
        await catalogue.load(ledger, live, caller, model, (data and data.parameters) or ())
        return Response(None, status_code=200, media_type="application/json")

    @post("/repository/models/{model:str}/unload", status_code=200, summary="Unload a model", responses=_REFUSED)
    async def unload(
        self,
        request: Request[Any, Any, Any],
        live: Live,
        caller: Caller,
        model: ModelName,
        data: RepositoryParameters | None = None,  # noqa: ARG002 - Triton's clients always send it
    ) -> Response[None]:
        """409: a model that is served has a champion, and a champion is not unloaded."""
        await catalogue.unload(request.app.state.holds.ledger, live, caller, model)
        return Response(None, status_code=200, media_type="application/json")
