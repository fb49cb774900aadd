"""A gRPC caller that knows nothing of the product: it learns the messages from the server's own reflection."""

from typing import Any

import grpc
import numpy as np
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.acceptance.tensors import DTYPES, Array

SERVICE = "inference.GRPCInferenceService"
FIELDS = {
    "BOOL": "bool_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
Inputs = dict[str, tuple[str, Array]]


class Rpc:
    """One connection; each call says with which key and other metadata."""

    def __init__(self, address: str, certificate: bytes | None = None) -> None:
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        if certificate is None:
            self.channel = grpc.insecure_channel(address, options)
        else:
            self.channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(certificate), options)
        self.reflected = ProtoReflectionDescriptorDatabase(self.channel)
        self._pool = descriptor_pool.DescriptorPool(self.reflected)

    def close(self) -> None:
        """End the connection."""
        self.channel.close()

    def message(self, name: str) -> Any:
        """The class of a message of the protocol."""
        found = self._pool.FindMessageTypeByName(f"inference.{name}")
        return message_factory.GetMessageClass(found)

    def call(self, method: str, request: Any, *, key: str = "", timeout: float = 60.0, **metadata: str) -> Any:
        """The response. Raises: grpc.RpcError."""
        return self.start(method, request, key=key, timeout=timeout, **metadata).result()

    def start(self, method: str, request: Any, *, key: str = "", timeout: float = 60.0, **metadata: str) -> Any:
        """A call that may be cancelled; `result()` waits for its response."""
        found = self._pool.FindServiceByName(SERVICE).FindMethodByName(method)
        encoded = request if isinstance(request, bytes) else request.SerializeToString()
        response = message_factory.GetMessageClass(found.output_type)
        calling = self.channel.unary_unary(f"/{SERVICE}/{method}", response_deserializer=response.FromString)
        sent = [(name.replace("_", "-"), value) for name, value in metadata.items()]
        sent += [("authorization", f"Bearer {key}")] if key else []
        return calling.future(encoded, metadata=sent, timeout=timeout)

    def inference(self, model: str, inputs: Inputs, *, raw: bool = True, **more: Any) -> Any:
        """A ModelInferRequest; FP16 is always raw, so not among inputs that are not."""
        request = self.message("ModelInferRequest")(model_name=model, **more)
        for name, (kind, array) in inputs.items():
            tensor = request.inputs.add(name=name, datatype=kind, shape=array.shape)
            if raw:
                request.raw_input_contents.append(raw_bytes(array))
            else:
                getattr(tensor.contents, FIELDS[kind]).extend(elements(array))
        return request


def raw_bytes(array: Array) -> bytes:
    """The array as raw contents."""
    if array.dtype != object:
        return array.tobytes()
    return b"".join(len(text.encode()).to_bytes(4, "little") + text.encode() for text in array.ravel())


def elements(array: Array) -> list[Any]:
    """The array as typed contents."""
    return [text.encode() for text in array.ravel()] if array.dtype == object else array.ravel().tolist()


def outputs(response: Any) -> dict[str, Array]:
    """The arrays of a ModelInferResponse, whether they came raw or typed."""
    found = {}
    for index, output in enumerate(response.outputs):
        if response.raw_output_contents:
            array = _array(output.datatype, response.raw_output_contents[index])
        else:
            values = getattr(output.contents, FIELDS[output.datatype])[:]
            values = [text.decode() for text in values] if output.datatype == "BYTES" else values
            array = np.array(values, DTYPES[output.datatype])
        found[output.name] = array.reshape(tuple(output.shape))
    return found


def parameters(response: Any) -> dict[str, Any]:
    """The parameters of a response."""
    return {name: getattr(value, value.WhichOneof("parameter_choice")) for name, value in response.parameters.items()}


def refused(error: grpc.RpcError) -> tuple[str, str, str]:
    """Status, error code and prediction of a call that ended without a response."""
    trailing = dict(error.trailing_metadata() or ())
    return error.code().name, trailing.get("error-code", ""), trailing.get("prediction-id", "")


def _array(datatype: str, data: bytes) -> Array:
    if datatype != "BYTES":
        return np.frombuffer(data, DTYPES[datatype])
    texts, at = [], 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "little")
        texts.append(data[at + 4 : end].decode())
        at = end
    return np.array(texts, object)
