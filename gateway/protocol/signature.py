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

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Whether a tensor of this shape fits."""
        sizes = zip(self.shape, shape, strict=False)
        return len(self.shape) == len(shape) and all(want in (ANY_SIZE, size) for want, size in sizes)


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs and outputs of a model."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    platform: str = "onnxruntime_onnx"
