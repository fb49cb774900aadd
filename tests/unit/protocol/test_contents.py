"""Typed contents are the same tensors as raw ones, both ways, and each fault has a text of its own."""

import numpy as np
import pytest

from gateway.protocol.binary import from_bytes, to_bytes
from gateway.protocol.contents import FIELDS, Contents, put
from gateway.protocol.errors import ProtocolError
from gateway.protocol.inference_pb2 import InferTensorContents, ModelInferRequest

VALUES = {
    "BOOL": [True, False],
    "UINT8": [0, 255],
    "UINT16": [0, 65_535],
    "UINT32": [0, 2**32 - 1],
    "UINT64": [0, 2**64 - 1],
    "INT8": [-128, 127],
    "INT16": [-32_768, 32_767],
    "INT32": [-(2**31), 2**31 - 1],
    "INT64": [-(2**63), 2**63 - 1],
    "FP32": [0.5, float("inf")],
    "FP64": [0.1, -1e300],
    "BYTES": [b"a \xc3\xa9", b""],
}


def typed(datatype: str, field: str, values: list[object], shape: tuple[int, ...] = (2,)) -> Contents:
    """The contents of one typed input `x`."""
    tensor = ModelInferRequest.InferInputTensor(name="x", datatype=datatype, shape=shape)
    getattr(tensor.contents, field).extend(values)
    return Contents([tensor], [])


@pytest.mark.parametrize("datatype", FIELDS)
def test_elements_are_carried_whole(datatype: str) -> None:
    """The extremes of each datatype become an array and elements again."""
    values = VALUES[datatype]
    array = from_bytes("x", datatype, (2,), typed(datatype, FIELDS[datatype], values).take("x", 0))
    contents = InferTensorContents()
    put(contents, "x", datatype, (2,), to_bytes(array))
    assert list(getattr(contents, FIELDS[datatype])) == values


@pytest.mark.parametrize("datatype", FIELDS)
def test_an_empty_tensor_needs_no_contents(datatype: str) -> None:
    """A batch of nothing has no elements, so its contents may be absent."""
    tensor = ModelInferRequest.InferInputTensor(name="x", datatype=datatype, shape=(0, 3))
    assert from_bytes("x", datatype, (0, 3), Contents([tensor], []).take("x", 0)).shape == (0, 3)


@pytest.mark.parametrize(
    ("datatype", "field", "values", "code"),
    [
        ("INT8", "int_contents", [1, 128], "number-out-of-range"),
        ("UINT16", "uint_contents", [1, 65_536], "number-out-of-range"),
        ("FP16", "fp32_contents", [1.0, 2.0], "only-raw"),
        ("BF16", "fp32_contents", [1.0, 2.0], "only-raw"),
        ("INT32", "int64_contents", [1, 2], "contents-misplaced"),
        ("INT32", "int_contents", [1], "wrong-element-count"),
        ("INT32", "int_contents", [1, 2, 3], "wrong-element-count"),
        ("INT32", "int_contents", [], "contents-missing"),
    ],
)
def test_wrong_elements_are_refused(datatype: str, field: str, values: list[object], code: str) -> None:
    """What does not fit its datatype, its field or its shape is named."""
    with pytest.raises(ProtocolError) as caught:
        typed(datatype, field, values).take("x", 0)
    assert caught.value.code == code


def test_raw_contents_are_not_copied() -> None:
    """What a model is fed lies where the message lay."""
    data = np.arange(4, dtype=np.float32).tobytes()
    tensor = ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=(4,))
    assert Contents([tensor], [memoryview(data)]).take("x", 0).obj is data
