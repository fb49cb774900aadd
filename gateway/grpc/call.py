"""A prediction request as it came over gRPC, read by the same checks as one that came over HTTP."""

from collections.abc import Mapping, Sequence

import msgspec

from gateway.call import Call
from gateway.protocol.binary import SIZE
from gateway.protocol.contents import Contents
from gateway.protocol.decode import InferenceRequest, RequestDecoder
from gateway.protocol.inference_pb2 import InferParameter, ModelInferRequest
from gateway.protocol.messages import InputMessage, Parameters, RequestedOutput, RequestMessage

_FORMS = frozenset({"binary_data", "binary_data_output"})
"""How outputs travel is not asked for over gRPC: raw where raw came in."""


class GrpcCall(Call, frozen=True, kw_only=True):
    """A call with its message; `raw` are the tensors that lay raw in it, where they lay."""

    message: ModelInferRequest
    raw: Sequence[memoryview]

    def read(self, decoder: RequestDecoder) -> InferenceRequest:
        """The request in the message; all its outputs are wanted as bytes. Raises: ProtocolError."""
        request = decoder.check(_message(self.message), Contents(self.message.inputs, self.raw))
        wanted = tuple(output.name for output in request.outputs)
        return msgspec.structs.replace(request, binary=wanted or decoder.outputs)


def _message(message: ModelInferRequest) -> RequestMessage:
    return RequestMessage(
        id=message.id or None,
        parameters=_parameters(message.parameters),
        inputs=[
            InputMessage(
                name=each.name,
                shape=list(each.shape),
                datatype=each.datatype,
                parameters={**_parameters(each.parameters), SIZE: 0},
            )
            for each in message.inputs
        ],
        outputs=[RequestedOutput(name=each.name, parameters=_parameters(each.parameters)) for each in message.outputs],
    )


def _parameters(given: Mapping[str, InferParameter]) -> Parameters:
    found: Parameters = {}
    for name, value in given.items():
        kind = value.WhichOneof("parameter_choice")
        if kind is not None and name not in _FORMS:
            found[name] = getattr(value, kind)
    return found
