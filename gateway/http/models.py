"""What is served: server and model metadata, readiness, and the repository's index (WIRE.md §1)."""

from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.params import Parameter
from litestar.response import Response

from gateway.errors import ModelNotReady
from gateway.http.parts import Live
from gateway.plan import Caller, ModelPlan
from gateway.protocol.signature import TensorSpec

EXTENSIONS = ("review", "model_repository", "binary_tensor_data", "statistics", "model_configuration")
ModelName = Annotated[str, Parameter(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="The model's name.")]


class ServerMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What this server is."""

    name: str
    version: str
    extensions: tuple[str, ...]


class ModelMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """A model's signature; -1 is a variable dimension."""

    name: str
    versions: tuple[str, ...]
    platform: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


class ModelReady(msgspec.Struct, frozen=True, kw_only=True):
    """A model that answers."""

    name: str
    ready: bool


class IndexRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which models to list: all, or the ready ones."""

    ready: bool = False


class IndexEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the repository."""

    name: str
    version: str
    state: str
    reason: str


class ModelsController(Controller):
    """The Open Inference Protocol's questions about models."""

    path = "/v2"
    tags = ("inference",)

    @get("/", summary="Server metadata")
    async def server(self, live: Live) -> ServerMetadata:
        """What this server is, and which extensions of the protocol it speaks."""
        return ServerMetadata(name="lockgate", version=live.version, extensions=EXTENSIONS)

    @get(["/models/{model:str}", "/models/{model:str}/versions/{version:str}"], summary="Model metadata")
    async def metadata(self, live: Live, caller: Caller, model: ModelName, version: str | None = None) -> ModelMetadata:
        """The signature of a model."""
        plan = live.readable(caller, model, version)
        signature = live.plan.live(plan.champion).session.signature
        return ModelMetadata(
            name=plan.name,
            versions=(str(plan.champion.version),),
            platform=signature.platform,
            inputs=(*signature.inputs, *_beside(plan)),
            outputs=signature.outputs,
        )

    @get(["/models/{model:str}/ready", "/models/{model:str}/versions/{version:str}/ready"], summary="Model readiness")
    async def ready(self, live: Live, caller: Caller, model: ModelName, version: str | None = None) -> ModelReady:
        """200 when the model's session is open, 503 when it is not."""
        plan = live.readable(caller, model, version)
        if not live.plan.is_ready(plan.champion):
            raise ModelNotReady(model=model)
        return ModelReady(name=model, ready=True)

    @post("/repository/index", status_code=200, summary="Repository index")
    async def index(self, live: Live, caller: Caller, data: IndexRequest | None = None) -> Response[list[IndexEntry]]:
        """The models that this key may use, as a bare array."""
        entries = [_entry(live, plan) for plan in live.readable_models(caller)]
        wanted = [entry for entry in entries if entry.state == "READY" or not (data and data.ready)]
        return Response(wanted, media_type="application/json")


def _beside(plan: ModelPlan) -> tuple[TensorSpec, ...]:
    """Inputs that are only shown to people are listed too: callers may send them."""
    shown = [each for each in plan.champion.card.shown if each.beside]
    return tuple(TensorSpec(name=each.input, datatype=each.datatype, shape=(-1,)) for each in shown)  # type: ignore[arg-type]


def _entry(live: Live, plan: ModelPlan) -> IndexEntry:
    ready = live.plan.is_ready(plan.champion)
    return IndexEntry(
        name=plan.name,
        version=str(plan.champion.version),
        state="READY" if ready else "UNAVAILABLE",
        reason="" if ready else "the model file could not be loaded",
    )
