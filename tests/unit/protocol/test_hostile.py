"""No bytes whatsoever harm the decoder."""

import json
from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.protocol.decode import Limits, RequestDecoder
from gateway.protocol.signature import Signature, TensorSpec

SPECS = (
    TensorSpec(name="x", datatype="FP32", shape=(-1, 2)),
    TensorSpec(name="t", datatype="BYTES", shape=(-1,)),
    TensorSpec(name="i", datatype="INT8", shape=()),
)
DECODER = RequestDecoder(
    Signature(inputs=SPECS, outputs=SPECS[:1]), display=frozenset({"d"}), limits=Limits(elements_max=1000)
)

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner))
NAMES = st.sampled_from(["x", "t", "i", "d", "z"])


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Usually what belongs there, sometimes anything."""
    return usual | usual | usual | TREES


INPUTS = st.fixed_dictionaries(
    {
        "name": mostly(NAMES),
        "shape": mostly(st.lists(st.integers(-1, 3) | st.integers(), max_size=3)),
        "datatype": mostly(st.sampled_from(["FP32", "BYTES", "INT8", "BOOL", "BF16"])),
        "data": mostly(st.lists(LEAVES | st.lists(LEAVES, max_size=3), max_size=6)),
    },
    optional={"parameters": mostly(st.dictionaries(st.text(max_size=3), LEAVES))},
)
REQUESTS = st.fixed_dictionaries(
    {"inputs": mostly(st.lists(INPUTS, max_size=4))},
    optional={
        "id": mostly(st.text()),
        "outputs": mostly(st.lists(st.fixed_dictionaries({"name": mostly(NAMES)}))),
        "parameters": mostly(st.dictionaries(st.text(max_size=3), LEAVES)),
    },
)


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    """Arbitrary bytes raise nothing but errors of ours."""
    with suppress(GatewayError):
        DECODER.decode(body)


@given(mostly(REQUESTS), st.booleans())
def test_almost_requests_are_decoded_or_refused(request: Any, tokens: bool) -> None:
    """Requests with anything anywhere, NaN tokens and huge integers included, raise nothing but errors of ours."""
    text = json.dumps(request) if tokens else msgspec.json.encode(request, enc_hook=str)
    with suppress(GatewayError):
        DECODER.decode(text.encode("utf-8", "replace") if isinstance(text, str) else text)


@given(st.binary(min_size=1, max_size=4), st.integers(0, 200))
def test_a_damaged_request_is_decoded_or_refused(damage: bytes, at: int) -> None:
    """A good request with some bytes replaced raises nothing but errors of ours."""
    inputs = [
        {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1.5, 2]},
        {"name": "t", "shape": [1], "datatype": "BYTES", "data": ["é"]},
        {"name": "i", "shape": [], "datatype": "INT8", "data": [3]},
    ]
    good = msgspec.json.encode({"inputs": inputs})
    DECODER.decode(good)
    with suppress(GatewayError):
        DECODER.decode(good[:at] + damage + good[at + len(damage) :])
