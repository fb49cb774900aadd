"""What is served: server and model metadata, readiness, and the repository's index (WIRE.md §1)."""

from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.params import Parameter
from litestar.response import Response

from gateway.catalogue import (
    IndexEntry,
    ModelMetadata,
    ServerMetadata,
    model_metadata,
    repository_index,
    require_ready,
    server_metadata,
)
from gateway.live import Live
from gateway.plan import Caller

ModelName = Annotated[str, Parameter(description="The model's name; no other is served.")]


class ModelReady(msgspec.Struct, frozen=True, kw_only=True):
    """A model that answers."""

    name: str
    ready: bool


class IndexRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which models to list: all, or the ready ones."""

    ready: bool = False


class ModelsController(Controller):
    """The Open Inference Protocol's questions about models."""

    path = "/v2"
    tags = ("inference",)

    @get("/", summary="Server metadata")
    async def server(self, live: Live) -> ServerMetadata:
        """What this server is, and which extensions of the protocol it speaks."""
        return server_metadata(live)

    @get(["/models/{model:str}", "/models/{model:str}/versions/{version:str}"], summary="Model metadata")
    async def metadata(self, live: Live, caller: Caller, model: ModelName, version: str | None = None) -> ModelMetadata:
        """The signature of a model."""
        return model_metadata(live, caller, model, version)

    @get(["/models/{model:str}/ready", "/models/{model:str}/versions/{version:str}/ready"], summary="Model readiness")
    async def ready(self, live: Live, caller: Caller, model: ModelName, version: str | None = None) -> ModelReady:
        """200 when the model's session is open, 503 when it is not."""
        require_ready(live, caller, model, version)
        return ModelReady(name=model, ready=True)

    @post("/repository/index", status_code=200, summary="Repository index")
    async def index(self, live: Live, caller: Caller, data: IndexRequest | None = None) -> Response[list[IndexEntry]]:
        """The models that this key may use, as a bare array."""
        entries = repository_index(live, caller, only_ready=data is not None and data.ready)
        return Response(entries, media_type="application/json")
