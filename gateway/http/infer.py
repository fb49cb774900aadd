"""The prediction route as the OpenAPI document describes it; requests reach the bare entry in front instead."""

import asyncio
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Response

from gateway.access.callers import require
from gateway.call import Call
from gateway.http.binary_form import PredictOperation
from gateway.http.models import ModelName
from gateway.http.problems import as_response
from gateway.plan import Caller
from gateway.protocol.messages import Parameters, ParameterValue, RequestedOutput
from gateway.reply import Problem


class TensorIn(msgspec.Struct, frozen=True, kw_only=True):
    """An input tensor; `data` is flat or nested, row-major."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]
    parameters: dict[str, ParameterValue] | None = None


class TensorOut(msgspec.Struct, frozen=True, kw_only=True):
    """An output tensor; `data` is flat, row-major."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class InferRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction request of the Open Inference Protocol."""

    inputs: list[TensorIn]
    id: str | None = None
    parameters: Parameters | None = None
    outputs: list[RequestedOutput] | None = None


class InferResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction; `parameters` say how it was decided and whether people looked at it."""

    model_name: str
    outputs: list[TensorOut]
    model_version: str | None = None
    id: str | None = None
    parameters: Parameters | None = None


_RESPONSES = {
    200: ResponseSpec(InferResponse, description="The answer: the model's, a person's, or a declared fallback."),
    202: ResponseSpec(InferResponse, description="Held for a person, after `Prefer: respond-async`."),
    400: ResponseSpec(Problem, description="The request does not fit the model; the text names the tensor."),
    401: ResponseSpec(Problem, description="A valid key is needed."),
    403: ResponseSpec(Problem, description="The key lacks the scope."),
    404: ResponseSpec(Problem, description="No such model, version or release."),
    409: ResponseSpec(Problem, description="A request with this Idempotency-Key is being decided."),
    422: ResponseSpec(Problem, description="Unanswerable, a reused Idempotency-Key, or numbers that are not finite."),
    503: ResponseSpec(Problem, description="Nobody has judged in time, too many wait, or the ledger is away."),
}


class InferController(Controller):
    """Predictions."""

    path = "/v2/models"
    tags = ("inference",)

    @post(
        ["/{model:str}/infer", "/{model:str}/versions/{version:str}/infer"],
        status_code=200,
        summary="Predict",
        operation_class=PredictOperation,
        responses=_RESPONSES,
    )
    async def infer(
        self,
        request: Request[Any, Any, Any],
        caller: Caller,
        model: ModelName,
        data: Annotated[InferRequest, msgspec.Meta(description="Tensors by name.")],
        version: str | None = None,
    ) -> Response[bytes]:
        """Answer with the model, or wait for a person, as flags and policy decide."""
        require(caller, "predict", model)
        body = msgspec.json.encode(data)
        call = Call(
            caller=caller, model=model, version=version, headers=request.scope["headers"], body=body, left=_stays
        )
        return as_response(await request.app.state.parts.pipeline.handle(call))


async def _stays() -> None:
    """This caller is answered whether or not it hangs up."""
    await asyncio.Event().wait()
