"""What a model takes and gives: names, datatypes and shapes."""

from typing import Literal

import msgspec

Datatype = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"
]
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
