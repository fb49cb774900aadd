"""Requests are checked against their model, and every refusal says what was expected."""

import json
import tracemalloc
from typing import Any

import msgspec
import numpy as np
import pytest

from gateway.errors import GatewayError
from gateway.protocol import binary_errors, errors
from gateway.protocol.decode import Limits, RequestDecoder
from gateway.protocol.signature import Signature, TensorSpec

X = TensorSpec(name="x", datatype="FP32", shape=(-1, 2))
N = TensorSpec(name="n", datatype="INT8", shape=(-1,))
Y = TensorSpec(name="y", datatype="FP32", shape=(-1,))
SIGNATURE = Signature(inputs=(X, N), outputs=(Y,))
DECODER = RequestDecoder(
    SIGNATURE, display=frozenset({"photo"}), limits=Limits(body_max_bytes=10_000, elements_max=100)
)


def x(**changes: Any) -> dict[str, Any]:
    """The input `x` of two items, with changes."""
    return {"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]} | changes


def n(**changes: Any) -> dict[str, Any]:
    """The input `n` of two items, with changes."""
    return {"name": "n", "shape": [2], "datatype": "INT8", "data": [1, 2]} | changes


def photo(**changes: Any) -> dict[str, Any]:
    """The display input of two items, with changes."""
    return {"name": "photo", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]} | changes


def body(*inputs: dict[str, Any], **fields: Any) -> bytes:
    """A request body."""
    return msgspec.json.encode({"inputs": list(inputs), **fields})


def without(message: dict[str, Any], field: str) -> dict[str, Any]:
    """The message less one field."""
    return {name: value for name, value in message.items() if name != field}


REFUSED = [
    ("a broken body", b"{", errors.MalformedJson, "not valid JSON"),
    ("no body", b"", errors.MalformedJson, "not valid JSON"),
    ("bytes that are no UTF-8", b'{"id":"\xff"}', errors.MalformedJson, "not valid JSON"),
    ("a lone surrogate", b'{"id":"\\ud800"}', errors.MalformedJson, "not valid JSON"),
    ("NaN", b'{"inputs":[{"data":[NaN]}]}', errors.NotANumberInJson, "byte 20"),
    ("minus infinity", b'{"inputs":[{"data":[-Infinity]}]}', errors.NotANumberInJson, "NaN or Infinity"),
    ("deep JSON", b'{"inputs":[{"data":' + b"[" * 9000, errors.TooDeep, "too deeply"),
    ("a body over the limit", b" " * 10_001, errors.BodyTooLarge, "10001 bytes; at most 10000"),
    ("an array", b"[]", errors.FieldMistyped, "the request must be of type object, not array"),
    ("no inputs", b"{}", errors.FieldMissing, "'inputs' is missing in the request"),
    ("an input without a name", body(without(x(), "name")), errors.FieldMissing, "'name' is missing in 'inputs[0]'"),
    (
        "a fractional size",
        body(x(shape=[2.5, 2])),
        errors.FieldMistyped,
        "'inputs[0].shape[0]' must be of type integer",
    ),
    ("a number beyond FP64", b'{"id":1e999}', errors.FieldOutOfRange, "'id' holds"),
    ("data beyond FP64", body(x()).replace(b",4]", b",1e999]"), errors.NumberOutOfRange, "'x' holds a number"),
    ("data that is no array", body(x(data=7)), errors.DataNotArray, "The 'data' of input 'x' must be an array"),
    ("data that is null", body(x(data=None)), errors.DataNotArray, "input 'x'"),
    ("text that is no UTF-8", body(photo()).replace(b'"a"', b'"\xff"'), errors.MalformedJson, "not valid JSON"),
    ("a lone surrogate in a text", body(photo()).replace(b'"a"', b'"\\ud800"'), errors.MalformedJson, "not valid"),
    ("a parameter that is an array", body(parameters={"a": [1]}), errors.FieldMistyped, "parameters"),
    ("an unknown input", body(x(), n(), x(name="z")), errors.UnknownInput, "no input 'z'; it takes 'n', 'photo', 'x'"),
    ("a missing input", body(x()), errors.MissingInput, "'n' is missing: INT8 of shape [-1]"),
    ("an input given twice", body(x(), n(), x()), errors.DuplicateInput, "'x' is given twice"),
    ("another datatype", body(x(datatype="FP64")), errors.WrongDatatype, "'x' must be FP32, not FP64"),
    ("another rank", body(x(shape=[4])), errors.WrongRank, "'x' must have 2 dimensions (shape [-1, 2]), not 1"),
    ("another size", body(x(shape=[1, 4])), errors.WrongDimension, "Dimension 1 of input 'x' must be 2, not 4"),
    ("a negative size", body(x(shape=[-1, 2])), errors.NegativeDimension, "Dimension 0 of input 'x' is -1"),
    ("a shape past counting", body(x(shape=[2**62, 2])), errors.ShapeOverflow, "'x'"),
    ("a shape past integers", body(x(shape=[10**30, 2])), errors.ShapeOverflow, "'x'"),
    ("too many elements", body(x(shape=[51, 2])), errors.TooManyElements, "'x' has 102 elements; at most 100"),
    ("too many behind a zero", body(photo(shape=[0, 10**9])), errors.TooManyElements, "'photo'"),
    ("no data", body(without(x(), "data")), errors.DataMissing, "'x' has no 'data'"),
    (
        "fewer elements",
        body(x(data=[1, 2, 3])),
        errors.WrongElementCount,
        "'x' has 3 elements, but its shape asks for 4",
    ),
    ("uneven rows", body(x(data=[[1, 2], [3]])), errors.UnevenNesting, "'x' does not follow its shape: at level 1, 2"),
    ("missing rows", body(x(data=[[1, 2]])), errors.UnevenNesting, "at level 0, 2"),
    ("half nested", body(x(data=[[1, 2], 3, 4])), errors.UnevenNesting, "at level 1, 2"),
    (
        "nested too far",
        body(x(data=[[[1], [2]], [[3], [4]]])),
        errors.WrongElement,
        "Element 0 of input 'x' is an array",
    ),
    ("a text in a row", body(x(data=[[1, 2], [3, "a"]])), errors.WrongElement, "Element 3 of input 'x' is a string"),
    ("a text in no row", body(x(shape=[0, 2], data=[["a"]])), errors.WrongElement, "Element 0 of input 'x'"),
    ("null", body(x(data=[1, 2, None, 4])), errors.NullElement, "Element 2 of input 'x' is null; FP32"),
    (
        "a boolean for a number",
        body(x(data=[1, True, 3, 4])),
        errors.WrongElement,
        "Element 1 of input 'x' is a boolean",
    ),
    ("a string for a number", body(x(data=["1", 2, 3, 4])), errors.WrongElement, "is a string; FP32 takes numbers"),
    ("an object for a number", body(x(data=[{}, 2, 3, 4])), errors.WrongElement, "is an object"),
    ("a fraction for an integer", body(x(), n(data=[1, 2.0])), errors.FloatForInteger, "Element 1 of input 'n'"),
    ("an integer out of range", body(x(), n(data=[1, 128])), errors.NumberOutOfRange, "'n' holds a number"),
    ("a float out of range", body(x(data=[1, 2, 3, 1e39])), errors.NumberOutOfRange, "does not fit FP32"),
    ("a huge integer as float", body(x(data=[1, 2, 3, 10**400])), errors.NumberOutOfRange, "does not fit FP32"),
    (
        "batches that disagree",
        body(x(), n(shape=[1], data=[1])),
        errors.BatchSizesDisagree,
        "'n' has 1 items along axis 0",
    ),
    (
        "a display input of fewer items",
        body(x(), n(), photo(shape=[1], data=["a"])),
        errors.BatchSizesDisagree,
        "'photo' has 1 items along axis 0, but 'x' has 2",
    ),
    ("a display input of no datatype", body(photo(datatype="JPEG")), errors.UnknownDatatype, "unknown datatype 'JPEG'"),
    ("a display input of nine axes", body(photo(shape=[1] * 9)), errors.WrongRank, "at most 8 dimensions"),
    ("an unknown output", body(x(), n(), outputs=[{"name": "z"}]), errors.UnknownOutput, "no output 'z'; it gives 'y'"),
    (
        "an output in shared memory",
        body(x(), n(), outputs=[{"name": "y", "parameters": {"shared_memory_region": "r"}}]),
        errors.ParameterNotServed,
        "'shared_memory_region' of output 'y' is not served",
    ),
    (
        "an output as classes",
        body(x(), n(), outputs=[{"name": "y", "parameters": {"classification": 2}}]),
        errors.ParameterNotServed,
        "'classification' of output 'y' is not served",
    ),
    (
        "an input in shared memory",
        body(without(x(parameters={"shared_memory_region": "r"}), "data")),
        errors.ParameterNotServed,
        "'shared_memory_region' of input 'x'",
    ),
    ("an output twice", body(x(), n(), outputs=[{"name": "y"}] * 2), errors.DuplicateOutput, "'y' is asked for twice"),
]


@pytest.mark.parametrize(
    ("request_body", "kind", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_is_wrong_is_refused_by_name(request_body: bytes, kind: type[GatewayError], text: str) -> None:
    """A request that does not fit is refused with an error of its own, which names the tensor and what was expected."""
    with pytest.raises(GatewayError) as refused:
        DECODER.decode(request_body)
    assert type(refused.value) is kind
    assert text in str(refused.value)
    assert refused.value.status == (501 if kind is errors.ParameterNotServed else 400)


def test_every_error_has_a_code_of_its_own() -> None:
    """No two errors share a code, and all codes are kebab-case."""
    codes = [kind.code for kind in (*errors.ProtocolError.__subclasses__(), errors.OutputNotFinite)]
    assert len(codes) == len(set(codes))
    assert all(code == code.lower() and "_" not in code for code in codes)
    assert binary_errors.BinarySizeWrong.code in codes


def test_long_names_do_not_make_long_messages() -> None:
    """A caller's own text is cut in the message."""
    with pytest.raises(errors.UnknownInput) as refused:
        DECODER.decode(body(x(name="z" * 5000)))
    assert len(str(refused.value)) < 300


def test_a_request_becomes_named_tensors() -> None:
    """Feeds, display inputs, requested outputs, parameters, id and items come apart."""
    parameters = {"review": "require", "priority": 1, "exact": True, "rate": 0.5}
    outputs = [{"name": "review_status"}, {"name": "y", "parameters": {"binary_data": False}}]
    request = DECODER.decode(body(photo(), n(), x(), id="7", parameters=parameters, outputs=outputs))
    assert request.id == "7"
    assert request.parameters == parameters
    assert list(request.feeds) == ["n", "x"]
    assert request.feeds["x"].tolist() == [[1, 2], [3, 4]]
    assert request.display["photo"].tolist() == ["a", "b"]
    assert [output.name for output in request.outputs] == ["review_status", "y"]
    assert request.items == 2


def test_null_fields_are_absent_ones() -> None:
    """Clients that send null for what they leave out are understood."""
    request = DECODER.decode(body(x(parameters=None), n(), id=None, parameters=None, outputs=None))
    assert (request.id, request.parameters, request.outputs) == (None, {}, ())


def test_an_empty_batch_is_a_request() -> None:
    """No items at all is a valid size."""
    request = DECODER.decode(body(x(shape=[0, 2], data=[]), n(shape=[0], data=[])))
    assert request.items == 0
    assert request.feeds["x"].shape == (0, 2)


def test_a_scalar_has_one_element() -> None:
    """A tensor of no dimensions is sent as one element, and a model without a batch axis has one item."""
    spec = TensorSpec(name="x", datatype="FP64", shape=())
    decoder = RequestDecoder(Signature(inputs=(spec,), outputs=()), batch_axis=None)
    request = decoder.decode(body({"name": "x", "shape": [], "datatype": "FP64", "data": [2.5]}))
    assert request.feeds["x"] == np.array(2.5)
    assert request.items == 1
    with pytest.raises(errors.WrongElement):
        decoder.decode(body({"name": "x", "shape": [], "datatype": "FP64", "data": [[2.5]]}))


def test_inputs_of_fixed_size_need_not_agree_in_items() -> None:
    """An input without a free batch axis, such as a table of settings, says nothing about the number of items."""
    settings = TensorSpec(name="s", datatype="FP32", shape=(3,))
    decoder = RequestDecoder(Signature(inputs=(settings, N), outputs=()))
    inputs = ({"name": "s", "shape": [3], "datatype": "FP32", "data": [1, 2, 3]}, n())
    assert decoder.decode(body(*inputs)).items == 2


def test_a_fixed_batch_counts_its_items() -> None:
    """A model that takes exactly three rows has three items."""
    spec = TensorSpec(name="x", datatype="FP32", shape=(3,))
    decoder = RequestDecoder(Signature(inputs=(spec,), outputs=()))
    assert decoder.decode(body({"name": "x", "shape": [3], "datatype": "FP32", "data": [1, 2, 3]})).items == 3


@pytest.mark.parametrize(
    ("datatype", "largest", "too_large"),
    [
        ("FP16", 65504.0, 65520.0),
        ("FP32", 3.4028234e38, 10**39),
        ("FP64", 1.7e308, 10**309),
        ("UINT64", 2**64 - 1, 2**64),
    ],
)
def test_the_largest_number_fits_and_the_next_does_not(datatype: Any, largest: float, too_large: float) -> None:
    """No number becomes infinite or wraps around on its way to its datatype."""
    spec = TensorSpec(name="x", datatype=datatype, shape=(-1,))
    decoder = RequestDecoder(Signature(inputs=(spec,), outputs=()))
    message = {"name": "x", "shape": [1], "datatype": datatype}
    assert decoder.decode(json.dumps({"inputs": [message | {"data": [largest]}]}).encode()).feeds["x"][0] > 0
    with pytest.raises(errors.NumberOutOfRange):
        decoder.decode(json.dumps({"inputs": [message | {"data": [too_large]}]}).encode())


@pytest.mark.parametrize("part", [b"0,", b"[],", b"{},", b"[0,0],"])
def test_elements_are_counted_before_they_are_made(part: bytes) -> None:
    """A large text with more elements than its shape has room for is refused without making objects of it."""
    spec = TensorSpec(name="x", datatype="FP32", shape=(-1,))
    decoder = RequestDecoder(Signature(inputs=(spec,), outputs=()))
    text = part * (4_000_000 // len(part))
    message = b'{"inputs":[{"name":"x","shape":[1000],"datatype":"FP32","data":[' + text + b"0]}]}"
    tracemalloc.start()
    try:
        with pytest.raises(errors.WrongElementCount, match="its shape asks for 1000"):
            decoder.decode(message)
        assert tracemalloc.get_traced_memory()[1] < len(message)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("part", [b'"",', b'"a\\",\\"b",', b'["",""],'], ids=["empty", "with quotes", "nested"])
def test_texts_are_counted_before_they_are_made(part: bytes) -> None:
    """A large text with more texts than its shape has room for is refused without making them, with quotes or not."""
    spec = TensorSpec(name="x", datatype="BYTES", shape=(-1,))
    decoder = RequestDecoder(Signature(inputs=(spec,), outputs=()))
    text = part * (4_000_000 // len(part))
    message = b'{"inputs":[{"name":"x","shape":[1000],"datatype":"BYTES","data":[' + text + b'""]}]}'
    tracemalloc.start()
    try:
        with pytest.raises(errors.WrongElementCount, match="has more than 1000 elements, but its shape asks for 1000"):
            decoder.decode(message)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(message)
    finally:
        tracemalloc.stop()


def test_texts_may_hold_what_stands_between_them() -> None:
    """Quotes, commas and backslashes in a large text are its own; as many texts as the shape asks for are read."""
    spec = TensorSpec(name="x", datatype="BYTES", shape=(-1,))
    decoder = RequestDecoder(Signature(inputs=(spec,), outputs=()))
    texts = ['","', "\\", '\\"', '"' * 1000] * 1000
    message = {"name": "x", "shape": [len(texts)], "datatype": "BYTES", "data": texts}
    assert decoder.decode(body(message)).feeds["x"].tolist() == texts


def test_items_are_bounded_before_anything_is_made_of_them() -> None:
    """Along the batch axis of a model or of what people see; without one, the number of elements alone counts."""
    few = Limits(items_max=2)
    decoder = RequestDecoder(SIGNATURE, display=frozenset({"photo"}), limits=few)
    assert decoder.decode(body(x(), n())).items == 2
    for inputs in ((x(shape=[3, 2], data=7), n()), (x(), n(), photo(shape=[3], data=7))):
        with pytest.raises(errors.TooManyItems, match="has 3 items, and at most 2 are taken at once"):
            decoder.decode(body(*inputs))
    settings = TensorSpec(name="s", datatype="INT8", shape=(3,))
    fixed = RequestDecoder(Signature(inputs=(N, settings), outputs=()), limits=few)
    assert fixed.decode(body(n(), {"name": "s", "shape": [3], "datatype": "INT8", "data": [1, 2, 3]})).items == 2
    free = RequestDecoder(Signature(inputs=(N,), outputs=()), batch_axis=None, limits=few)
    assert free.decode(body(n(shape=[5], data=[1, 2, 3, 4, 5]))).items == 1


def test_many_elements_are_taken() -> None:
    """A large text with as many elements as its shape asks for is read, flat or nested."""
    spec = TensorSpec(name="x", datatype="INT64", shape=(-1, -1))
    decoder = RequestDecoder(Signature(inputs=(spec,), outputs=()))
    array = np.arange(1_000_000_000, 1_000_000_000 + 200_000).reshape(2, -1)
    for data in (array.tolist(), array.ravel().tolist()):
        message = {"name": "x", "shape": [2, 100_000], "datatype": "INT64", "data": data}
        assert np.array_equal(decoder.decode(body(message)).feeds["x"], array)
