"""The elements of tensors as gRPC carries them: raw, or in the field of their datatype. Pure.

Raw bytes are those of the binary tensor extension. Typed elements become the same bytes on their way in, so that one
set of checks judges both, and on the way out the bytes become elements.
"""

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from gateway.protocol.binary import from_bytes, to_bytes
from gateway.protocol.contents_errors import (
    ContentsMisplaced,
    ContentsMissing,
    OnlyRaw,
    RawAndContents,
    RawContentsCounted,
)
from gateway.protocol.datatypes import NUMPY
from gateway.protocol.errors import NumberOutOfRange, WrongElementCount
from gateway.protocol.inference_pb2 import InferTensorContents, ModelInferRequest, ModelInferResponse

Described = ModelInferRequest.InferInputTensor | ModelInferResponse.InferOutputTensor
"""A tensor of a message; inputs and outputs have the same fields."""

FIELDS: Mapping[str, str] = {
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
"""The field of each datatype; FP16 has none."""


class Contents:
    """The elements of a message's tensors, taken one by one."""

    def __init__(self, inputs: Sequence[Described], raw: Sequence[memoryview]) -> None:
        self._inputs = {each.name: each for each in inputs}
        self._raw: Mapping[str, memoryview] | None = None
        if raw:
            if len(raw) != len(inputs):
                raise RawContentsCounted(found=len(raw), expected=len(inputs))
            self._raw = dict(zip((each.name for each in inputs), raw, strict=True))

    def take(self, name: str, size: object) -> memoryview:  # noqa: ARG002 - of raw bytes in a body
        """The input's bytes; its shape has been checked. Raises a ProtocolError that names the tensor."""
        tensor = self._inputs[name]
        if self._raw is None:
            return _typed(tensor)
        if tensor.contents.ListFields():  # MLServer writes contents that hold nothing
            raise RawAndContents(tensor=name)
        return self._raw[name]

    def end(self) -> None:
        """Nothing is left over: there is one content for each input."""


def put(contents: InferTensorContents, name: str, datatype: str, shape: tuple[int, ...], data: memoryview) -> None:
    """Write a tensor's bytes as elements into the field of its datatype, which is not FP16."""
    elements = from_bytes(name, datatype, shape, data).ravel().tolist()
    if datatype == "BYTES":
        elements = [text.encode() for text in elements]
    getattr(contents, FIELDS[datatype]).extend(elements)


def _typed(tensor: Described) -> memoryview:
    """The elements in the field of the tensor's datatype as bytes."""
    name, datatype = tensor.name, tensor.datatype
    field = FIELDS.get(datatype)
    if field is None:
        raise OnlyRaw(tensor=name, datatype=datatype)
    for descriptor, _ in tensor.contents.ListFields():
        if descriptor.name != field:
            raise ContentsMisplaced(tensor=name, datatype=datatype, expected=field, found=descriptor.name)
    elements, expected = getattr(tensor.contents, field)[:], prod(tensor.shape)
    if not elements and expected:
        raise ContentsMissing(tensor=name)
    if len(elements) != expected:
        raise WrongElementCount(tensor=name, expected=expected, found=len(elements))
    if datatype == "BYTES":
        return memoryview(b"".join(len(text).to_bytes(4, "little") + text for text in elements))
    try:
        return to_bytes(np.array(elements, NUMPY[datatype]))
    except OverflowError as error:
        raise NumberOutOfRange(tensor=name, datatype=datatype) from error
