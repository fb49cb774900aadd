"""A reply of the pipeline in the words of gRPC: a response message, or a status with its trailing metadata. Pure."""

from typing import Any

import msgspec
from grpc import StatusCode

from gateway.grpc.status import status_of
from gateway.protocol.binary import SIZE
from gateway.protocol.contents import FIELDS, put
from gateway.protocol.fields import joined
from gateway.protocol.inference_pb2 import InferParameter, ModelInferResponse
from gateway.protocol.messages import ParameterValue, ResponseMessage
from gateway.reply import Reply

RAW_OUTPUT = ModelInferResponse.RAW_OUTPUT_CONTENTS_FIELD_NUMBER
_RESPONSE = msgspec.json.Decoder(ResponseMessage)


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A call that ends without a response; its metadata are `error-code`, `prediction-id` and `retry-after`."""

    status: StatusCode
    text: str
    metadata: tuple[tuple[str, str], ...]
    code: str


class _Problem(msgspec.Struct, frozen=True):
    error: str
    type: str = "#held"
    instance: str = ""


_PROBLEM = msgspec.json.Decoder(_Problem)


def response_of(reply: Reply, *, raw: bool) -> bytes:
    """The response message of a reply with status 200, whose tensors are bytes.

    They go raw, copied once, where raw is asked for or an output has no other form; otherwise as elements.
    """
    said = _RESPONSE.decode(reply.body)
    response = ModelInferResponse(model_name=said.model_name)
    if isinstance(said.model_version, str):
        response.model_version = said.model_version
    if isinstance(said.id, str):
        response.id = said.id
    _put(response.parameters, said.parameters)
    for output in said.outputs:
        told = response.outputs.add(name=output.name, datatype=output.datatype, shape=output.shape)
        _put(told.parameters, output.parameters)
    if raw or any(output.datatype not in FIELDS for output in said.outputs):
        return joined(response.SerializeToString(), RAW_OUTPUT, reply.tensors)
    for told, output, data in zip(response.outputs, said.outputs, reply.tensors, strict=True):
        put(told.contents, output.name, output.datatype, output.shape, data)
    return response.SerializeToString()


def refusal_of(reply: Reply) -> Refusal:
    """The status of any other reply, a hold's 202 among them."""
    said = _PROBLEM.decode(reply.body)
    code, place = said.type.rpartition("#")[2], said.instance or reply.header("location") or ""
    prediction_id = place.rpartition("/")[2]
    more = (("prediction-id", prediction_id), ("retry-after", reply.header("retry-after") or ""))
    return Refusal(
        status=status_of(code, reply.status, held=bool(prediction_id)),
        text=said.error,
        metadata=(("error-code", code), *((name, value) for name, value in more if value)),
        code=code,
    )


def _put(told: Any, parameters: dict[str, ParameterValue] | msgspec.UnsetType) -> None:
    """Write parameters; the size of binary data says nothing here."""
    for name, value in () if isinstance(parameters, msgspec.UnsetType) else parameters.items():
        if name != SIZE:
            told[name].CopyFrom(_parameter(value))


def _parameter(value: ParameterValue) -> InferParameter:
    if isinstance(value, bool):
        return InferParameter(bool_param=value)
    if isinstance(value, int):
        return InferParameter(int64_param=value)
    return InferParameter(double_param=value) if isinstance(value, float) else InferParameter(string_param=value)
