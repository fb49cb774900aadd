"""What a model takes and gives: names, datatypes and shapes."""

import msgspec

from gateway.protocol.datatypes import Datatype

ANY_SIZE = -1
"""A dimension that may have any size, as the protocol writes it."""


class TensorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One input or output; encodes as the protocol's metadata prints it."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...]


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs and outputs of a model."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    platform: str = "onnxruntime_onnx"
