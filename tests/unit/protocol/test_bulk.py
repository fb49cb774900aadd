"""Large requests are read as small ones are, only faster; what is unusual is left to the careful reading."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.protocol.bulk import BULK_BYTES, parse_bulk
from gateway.protocol.datatypes import NUMPY
from gateway.protocol.decode import InferenceRequest, RequestDecoder
from gateway.protocol.encode import MUCH, encode_response
from gateway.protocol.messages import parse_request
from gateway.protocol.signature import Signature, TensorSpec

NUMERIC = [name for name, dtype in NUMPY.items() if dtype.kind in "fiu"]
NUMBERS = st.one_of(
    st.integers(-300, 300),
    st.integers(-(2**64), 2**64),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -0.0, 1e-320, 1e400, 65504, 65520, 3.5e38, True, None, "1", [1], [[1]], {}]),
)


def decoder(datatype: str = "FP32", shape: tuple[int, ...] = (-1,)) -> RequestDecoder:
    return RequestDecoder(
        Signature(
            inputs=(TensorSpec(name="x", datatype=datatype, shape=shape),),  # type: ignore[arg-type]
            outputs=(TensorSpec(name="y", datatype="FP32", shape=(-1,)),),
        ),
        batch_axis=None,
    )


def careful(reader: RequestDecoder, body: bytes) -> InferenceRequest | None:
    """What the careful reading makes of a body; None where it refuses it."""
    try:
        return reader.check(parse_request(body))
    except GatewayError:
        return None


def fast(reader: RequestDecoder, body: bytes) -> InferenceRequest | None:
    """What the fast reading makes of it; None where it leaves it to the careful one, or refuses it."""
    bulk = parse_bulk(body)
    try:
        return None if bulk is None else reader.check(bulk.message, bulk.numbers)
    except GatewayError:
        return None


def text(datatype: str, data: object, shape: object = None, **more: object) -> bytes:
    """A body with the input `x`."""
    sizes = [len(data)] if shape is None and isinstance(data, list) else shape
    x = {"name": "x", "shape": sizes, "datatype": datatype, "data": data}
    return json.dumps({"inputs": [x], **more}).encode()


def agree(one: InferenceRequest, other: InferenceRequest) -> bool:
    """Whether two readings are the same to the bit."""
    same = {name: getattr(one, name) == getattr(other, name) for name in ("id", "parameters", "outputs", "items")}
    return all(same.values()) and _bits(one.feeds) == _bits(other.feeds)


def _bits(feeds: Mapping[str, Any]) -> dict[str, Any]:
    return {name: (tensor.dtype, tensor.shape, tensor.tobytes()) for name, tensor in feeds.items()}


@given(datatype=st.sampled_from(NUMERIC), data=st.lists(NUMBERS, max_size=6), wrong=st.sampled_from([0, 0, 0, 1]))
def test_both_readings_agree(datatype: str, data: list[Any], wrong: int) -> None:
    """Whatever the fast reading takes, the careful one takes too, and reads the same bits."""
    reader, body = decoder(datatype), text(datatype, data, [len(data) + wrong])
    read = fast(reader, body)
    if read is not None:
        kept = careful(reader, body)
        assert kept is not None
        assert agree(read, kept)


@pytest.mark.parametrize("datatype", NUMERIC)
def test_what_large_requests_look_like_is_read_fast(datatype: str) -> None:
    """Flat numbers of each datatype, with id, parameters and outputs beside them."""
    numbers = [1, 2, 3] if NUMPY[datatype].kind in "iu" else [0.1, 2, -3.25e-5]
    more = {"id": "7", "parameters": {"user_id": "ada", "review": "require"}, "outputs": [{"name": "y"}]}
    body = text(datatype, numbers, [3], **more)
    read, kept = fast(decoder(datatype), body), careful(decoder(datatype), body)
    assert read is not None
    assert kept is not None
    assert agree(read, kept)


@pytest.mark.parametrize(
    "body",
    [
        text("FP32", [[1, 2], [3, 4]], [2, 2]),
        text("FP32", [1, [2]], [2]),
        text("FP32", [1, 2, 3], [2]),
        text("FP32", [1, True]),
        text("FP32", [1, None]),
        text("FP32", [1e39]),
        text("INT8", [128]),
        text("UINT8", [-1]),
        text("INT64", [2**63]),
        text("INT32", [1.5]),
        text("BOOL", [True]),
        text("BYTES", ["a"]),
        text("FP32", [1], [-1]),
        text("FP32", [1], [True]),
        text("FP32", [1], id=7),
        b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1],"parameters":{"binary_data_size":4}}]}',
        b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1],"data":[2]}]}',
        b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}],"id":"a","id":"b"}',
        b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[NaN]}]}',
        b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]',
        b"\xef\xbb\xbf" + text("FP32", [1]),
        b'{"inputs":[{"name":"x","shape":[2,0],"datatype":"FP32","data":{},"more":[1]}]}',
        b'{"inputs":[{"name":"x","shape":[2,0],"datatype":"FP32","data":"","more":[1]}]}',
        b'{"inputs":{}}',
        b"[]",
        b"7",
        b"\xff",
        b'{"inputs":' + b"[" * 100_000,
    ],
)
def test_what_is_unusual_is_left_to_the_careful_reading(body: bytes) -> None:
    """Nested, mixed, out of range, twice, or broken: nothing is guessed here."""
    assert parse_bulk(body) is None


def test_a_large_body_is_read_fast_and_a_large_fault_is_named() -> None:
    """From a size on a body takes the fast way, and a fault in it still gets its own sentence."""
    numbers = np.random.default_rng(1).standard_normal(10_000).tolist()
    body = text("FP32", numbers)
    assert len(body) >= BULK_BYTES
    assert decoder().decode(body).feeds["x"].tolist() == np.array(numbers, np.float32).tolist()
    numbers[77] = None
    with pytest.raises(GatewayError, match=r"Element 77 of input 'x' is null"):
        decoder().decode(text("FP32", numbers))


@pytest.mark.parametrize("datatype", [name for name in NUMPY if name != "BYTES"])
def test_a_large_output_reads_back_the_same(datatype: str) -> None:
    """Whatever its memory looks like, the numbers in JSON are those of the tensor, to the bit."""
    dtype, random = NUMPY[datatype], np.random.default_rng(2)
    array = (
        (random.standard_normal((2 * MUCH, 3)) * 100).astype(dtype)
        if dtype.kind != "b"
        else random.random((2 * MUCH, 3)) > 0.5
    )
    for laid in (array, array[::-2], array.T):
        [output] = json.loads(encode_response(model="m", outputs={"y": laid}).json)["outputs"]
        assert np.array_equal(np.array(output["data"], dtype).reshape(output["shape"]), laid)
