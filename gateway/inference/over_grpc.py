"""The way to an upstream over gRPC: one channel, whose connection the library keeps; tensors go and come raw.

The library itself makes a call again that never left this machine; nothing else is made again here.
"""

from collections.abc import Mapping, Sequence

import grpc
from google.protobuf.message import DecodeError

from gateway.inference.errors import ModelFailed, ModelRefusedValues
from gateway.inference.told_signature import ToldModel, told_model, word_of
from gateway.inference.transport import Answered
from gateway.inference.upstream_errors import UpstreamAnswerWrong, UpstreamTooSlow, UpstreamUnavailable
from gateway.inference.upstreams import Upstream
from gateway.protocol.binary import from_bytes, to_bytes
from gateway.protocol.contents import Contents
from gateway.protocol.datatypes import NUMPY, Tensor, datatype_of
from gateway.protocol.errors import ProtocolError
from gateway.protocol.fields import joined, split
from gateway.protocol.inference_pb2 import (
    ModelInferRequest,
    ModelInferResponse,
    ModelMetadataRequest,
    ModelMetadataResponse,
)

METADATA_S = 10.0
_SERVICE = "/inference.GRPCInferenceService"
_RAW_INPUT = ModelInferRequest.RAW_INPUT_CONTENTS_FIELD_NUMBER
_RAW_OUTPUT = ModelInferResponse.RAW_OUTPUT_CONTENTS_FIELD_NUMBER
_RAISED: Mapping[grpc.StatusCode, type[Exception]] = {
    grpc.StatusCode.INVALID_ARGUMENT: ModelRefusedValues,
    grpc.StatusCode.OUT_OF_RANGE: ModelRefusedValues,
    grpc.StatusCode.DEADLINE_EXCEEDED: UpstreamTooSlow,
    grpc.StatusCode.INTERNAL: ModelFailed,
    grpc.StatusCode.UNKNOWN: ModelFailed,
}
"""What a call raises by its status; anything else is UpstreamUnavailable."""


class GrpcTransport:
    """A channel to one model of a server."""

    def __init__(self, upstream: Upstream, key: str, answer_max_bytes: int) -> None:
        self._upstream = upstream
        self._sent_along = (("authorization", f"Bearer {key}"),) if key else ()
        options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", answer_max_bytes)]
        if upstream.scheme == "grpcs":
            self._channel = grpc.aio.secure_channel(upstream.place, grpc.ssl_channel_credentials(), options)
        else:
            self._channel = grpc.aio.insecure_channel(upstream.place, options)

    async def metadata(self) -> ToldModel:
        """What the server tells of the model now."""
        asked = ModelMetadataRequest(name=self._upstream.model, version=self._upstream.version or "")
        answer = await self._call("ModelMetadata", asked.SerializeToString(), METADATA_S)
        try:
            told = ModelMetadataResponse.FromString(answer)
        except DecodeError as error:
            raise UpstreamAnswerWrong from error
        return told_model(told.name, list(told.versions), told.platform, list(told.inputs), list(told.outputs))

    async def infer(self, feeds: Mapping[str, Tensor], outputs: Sequence[str], within_s: float) -> Answered:
        """The named outputs."""
        request = ModelInferRequest(model_name=self._upstream.model, model_version=self._upstream.version or "")
        for name, feed in feeds.items():
            request.inputs.add(name=name, datatype=datatype_of(feed), shape=feed.shape)
        for name in outputs:
            request.outputs.add(name=name)
        body = joined(request.SerializeToString(), _RAW_INPUT, map(to_bytes, feeds.values()))
        return _answered(await self._call("ModelInfer", body, within_s))

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()

    async def _call(self, method: str, body: bytes, within_s: float) -> bytes:
        call = self._channel.unary_unary(f"{_SERVICE}/{method}")
        try:
            answer: bytes = await call(body, timeout=within_s, metadata=self._sent_along)
        except grpc.RpcError as error:
            raise _RAISED.get(error.code(), UpstreamUnavailable)() from error
        return answer


def _answered(body: bytes) -> Answered:
    """The tensors of an answer. Raises: UpstreamAnswerWrong."""
    rest, raw = split(body, _RAW_OUTPUT)
    try:
        response = ModelInferResponse.FromString(rest)
        contents = Contents(response.outputs, raw)
        outputs = {each.name: _tensor(each, contents) for each in response.outputs}
        return Answered(outputs, word_of(response.model_version))
    except (DecodeError, ProtocolError, KeyError, ValueError) as error:
        raise UpstreamAnswerWrong from error


def _tensor(output: ModelInferResponse.InferOutputTensor, contents: Contents) -> Tensor:
    """One tensor; KeyError for a datatype that does not exist, ValueError for sizes that no array has."""
    shape = tuple(output.shape)
    NUMPY[output.datatype]
    if any(size < 0 for size in shape):
        raise ValueError
    return from_bytes(output.name, output.datatype, shape, contents.take(output.name, 0))
