"""Statistics, model configuration, and the repository's index, load and unload, as Triton's extensions have them.

What serves is decided by releases, not by loading: `load` is an operator's recorded question whether a model is there,
and `unload` is refused, because a model that answers is stopped by a halt and changed by a promotion or a rollback.
"""

from typing import Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Response

from gateway.errors import BadRequest, Conflict, Forbidden, ModelNotReady
from gateway.http.models import ModelName
from gateway.http.parts import Live
from gateway.plan import Caller, ModelPlan
from gateway.protocol.messages import ParameterValue
from gateway.protocol.signature import TensorSpec
from gateway.reply import Problem
from gateway.statistics import STATISTICS, ModelStatistics
from gateway.store.events import append_event
from gateway.store.keys import operates
from gateway.store.ledger import Ledger

OPERATE = "operate"


class LoadingRefused(BadRequest):
    """The parameter '{parameter}' is refused: what serves comes from a release, never from a request."""

    code = "loading-refused"


class ChampionStays(Conflict):
    """'{release}' is the champion of '{model}' and is not unloaded; halt the model, or promote another release."""

    code = "champion-stays"


class AllStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The statistics of models by version, of the process that answers."""

    model_stats: list[ModelStatistics]


class ConfiguredTensor(msgspec.Struct, frozen=True, kw_only=True):
    """An input or output; -1 is a variable dimension."""

    name: str
    data_type: str
    dims: tuple[int, ...]


class ModelConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """A model as Triton's configuration describes one; `max_batch_size` 0 says that shapes hold the batch axis."""

    name: str
    platform: str
    backend: str
    version_policy: dict[str, dict[str, tuple[int, ...]]]
    max_batch_size: int
    input: tuple[ConfiguredTensor, ...]
    output: tuple[ConfiguredTensor, ...]


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
        models = live.readable_models(caller)
        return AllStatistics(model_stats=[each for model in models for each in STATISTICS.of(model)])

    @get(["/models/{model:str}/stats", "/models/{model:str}/versions/{version:str}/stats"], summary="Statistics")
    async def stats(self, live: Live, caller: Caller, model: ModelName, version: str | None = None) -> AllStatistics:
        """What this process answered with a model, or with one version of it, since it began."""
        found = STATISTICS.of(live.readable(caller, model, None))
        wanted = [each for each in found if version in (None, each.version)]
        if not wanted:
            live.readable(caller, model, version)  # raises UnknownVersion
        return AllStatistics(model_stats=wanted)

    @get(["/models/{model:str}/config", "/models/{model:str}/versions/{version:str}/config"], summary="Configuration")
    async def config(
        self, live: Live, caller: Caller, model: ModelName, version: str | None = None
    ) -> ModelConfiguration:
        """A model's inputs and outputs in Triton's words."""
        plan = live.readable(caller, model, version)
        signature = live.plan.live(plan.champion).session.signature
        return ModelConfiguration(
            name=plan.name,
            platform=signature.platform,
            backend="onnxruntime",
            version_policy={"specific": {"versions": (plan.champion.version,)}},
            max_batch_size=0,
            input=tuple(map(_configured, signature.inputs)),
            output=tuple(map(_configured, signature.outputs)),
        )

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
        ledger: Ledger = request.app.state.holds.ledger
        plan = await _operated(ledger, live, caller, model)
        if parameter := next(iter((data and data.parameters) or {}), None):
            raise LoadingRefused(parameter=parameter[:40])
        async with ledger.writing() as w:
            await append_event(
                w,
                "model.load_asked",
                f"model:{plan.name}",
                {"model": plan.name, "release": plan.champion.name},
                by=f"key:{caller.key_name}",
                tenant_id=caller.tenant_id,
                at_us=await w.now_us(),
            )
        if not live.plan.is_ready(plan.champion):
            raise ModelNotReady(model=model)
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
        plan = await _operated(request.app.state.holds.ledger, live, caller, model)
        raise ChampionStays(model=model, release=plan.champion.name)


async def _operated(ledger: Ledger, live: Live, caller: Caller, model: str) -> ModelPlan:
    """The model, for a caller who operates it. Raises: Forbidden, UnknownModel, LedgerUnavailable."""
    plan = live.plan.model(caller.tenant_id, model)
    async with ledger.reading() as r:
        if not await operates(r, caller, plan.id):
            raise Forbidden(scope=OPERATE)
    return plan


def _configured(spec: TensorSpec) -> ConfiguredTensor:
    kind = "STRING" if spec.datatype == "BYTES" else spec.datatype
    return ConfiguredTensor(name=spec.name, data_type=f"TYPE_{kind}", dims=spec.shape)
