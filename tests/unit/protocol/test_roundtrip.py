"""Tensors survive the wire."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gateway.protocol.datatypes import NUMPY, ONNX, datatype_of
from gateway.protocol.decode import RequestDecoder
from gateway.protocol.encode import encode_response
from gateway.protocol.signature import Signature, TensorSpec

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def tensors(datatype: str) -> st.SearchStrategy[np.ndarray[Any, Any]]:
    """Arrays of a datatype, of any shape up to four dimensions, empty and scalar ones included."""
    shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    if datatype == "BYTES":
        return arrays.arrays(np.object_, shapes, elements=TEXT, fill=st.nothing())
    finite = {"allow_nan": False, "allow_infinity": False} if datatype.startswith("FP") else {}
    elements = arrays.from_dtype(NUMPY[datatype], **finite)
    return arrays.arrays(NUMPY[datatype], shapes, elements=elements)


def decoder(datatype: str, rank: int) -> RequestDecoder:
    """A decoder for one input `x`."""
    spec = TensorSpec(name="x", datatype=datatype, shape=(-1,) * rank)
    return RequestDecoder(Signature(inputs=(spec,), outputs=(spec,)))


@pytest.mark.parametrize("datatype", NUMPY)
@settings(max_examples=40)
@given(data=st.data(), nested=st.booleans())
def test_decode_inverts_encode(datatype: str, data: st.DataObject, nested: bool) -> None:
    """Every tensor that is encoded decodes to the same values, dtype and shape, from flat and from nested data."""
    array = data.draw(tensors(datatype))
    response = msgspec.json.decode(encode_response(model="m", outputs={"x": array}).json)
    [output] = response["outputs"]
    if nested and array.ndim:
        output["data"] = array.tolist()
    body = msgspec.json.encode({"inputs": [output]})
    decoded = decoder(datatype, array.ndim).decode(body).feeds["x"]
    assert decoded.dtype == NUMPY[datatype]
    assert decoded.shape == array.shape
    assert np.array_equal(decoded, array)


def test_datatypes_are_one_to_one() -> None:
    """Each datatype has one numpy dtype and one ONNX type, and the dtype leads back to it."""
    assert set(ONNX.values()) == set(NUMPY)
    assert all(datatype_of(np.empty(0, dtype)) == datatype for datatype, dtype in NUMPY.items())


def test_text_of_every_numpy_kind_is_bytes() -> None:
    """Fixed-width text and bytes are BYTES too."""
    assert datatype_of(np.array(["a"])) == "BYTES"
    assert datatype_of(np.array([b"a"])) == "BYTES"
