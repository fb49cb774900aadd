"""Tensors as raw bytes behind the JSON: the same tensors, or a refusal that names them."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.facts import input_digest
from gateway.protocol import binary_errors as errors
from gateway.protocol.binary import from_bytes, json_length, room_for, to_bytes
from gateway.protocol.datatypes import NUMPY
from gateway.protocol.decode import InferenceRequest, RequestDecoder
from gateway.protocol.encode import encode_response
from gateway.protocol.errors import FieldMistyped, OutputNotFinite, ProtocolError
from gateway.protocol.signature import Signature, TensorSpec
from tests.unit.protocol.messages import Array, behind, in_json, packed
from tests.unit.protocol.test_roundtrip import tensors

SPECS = (
    TensorSpec(name="x", datatype="FP32", shape=(-1, 2)),
    TensorSpec(name="t", datatype="BYTES", shape=(-1,)),
    TensorSpec(name="b", datatype="BOOL", shape=(-1,)),
)
Y = (TensorSpec(name="y", datatype="FP32", shape=(-1,)), TensorSpec(name="z", datatype="FP32", shape=(-1,)))
DECODER = RequestDecoder(Signature(inputs=SPECS, outputs=Y), display=frozenset({"photo"}))
X = np.array([[1, 2], [3, 4]], np.float32)
T = np.array(["é", ""], np.object_)
B = np.array([True, False])
GOOD = {"x": X, "t": T, "b": B}


def decoded(inputs: dict[str, Array], **more: Any) -> InferenceRequest:
    """The request with these inputs behind its JSON."""
    return DECODER.decode(*packed(inputs, **more))


def body_of(tail: bytes, *inputs: dict[str, Any]) -> tuple[bytes, int]:
    """A body of these inputs and this tail."""
    text = msgspec.json.encode({"inputs": inputs})
    return text + tail, len(text)


def sized(message: dict[str, Any], size: object) -> dict[str, Any]:
    """The message with another size."""
    return message | {"parameters": {"binary_data_size": size}}


X_RAW, T_RAW = X.tobytes(), b"\2\0\0\0\xc3\xa9\0\0\0\0"
IN_X, IN_T, IN_B = behind("x", X), behind("t", T), behind("b", B)
REFUSED = [
    ("JSON beyond the body", (b"{}", 3), errors.JsonBeyondBody, "the JSON has 3 bytes, but the whole body has 2"),
    ("no length", (body_of(b"", IN_X)[0], None), errors.BinaryWithoutLength, "Input 'x' has 'binary_data_size'"),
    ("data twice", body_of(X_RAW, IN_X | {"data": [1, 2, 3, 4]}), errors.BinaryAndData, "Input 'x' has both"),
    ("a size in words", body_of(X_RAW, sized(IN_X, "16")), errors.BinarySizeMistyped, "'x' must be a whole number"),
    ("a size of true", body_of(X_RAW, sized(IN_X, True)), errors.BinarySizeMistyped, "not True"),
    ("half a byte", body_of(X_RAW, sized(IN_X, 15.5)), errors.BinarySizeMistyped, "not 15.5"),
    ("a negative size", body_of(X_RAW, sized(IN_X, -16)), errors.BinarySizeNegative, "of input 'x' is -16"),
    ("a size beyond the body", body_of(X_RAW, sized(IN_X, 17)), errors.BinaryBeyondBody, "takes 17 bytes of binary"),
    ("a huge size", body_of(X_RAW, sized(IN_X, 2**63)), errors.BinaryBeyondBody, "but only 16 are left of the body"),
    ("two that overlap", body_of(X_RAW, IN_X, IN_T), errors.BinaryBeyondBody, "Input 't' takes 10"),
    ("a tail", body_of(X_RAW + b"12", IN_X), errors.BinaryLeftOver, "goes on for 2 bytes behind input 'x'"),
    ("only a tail", body_of(b"12", in_json("x", X)), errors.BinaryLeftOver, "2 bytes behind the JSON"),
    (
        "another size than the shape",
        body_of(X_RAW, sized(IN_X, 12)),
        errors.BinarySizeWrong,
        "Input 'x' has 12 bytes of binary data; FP32 of shape [2, 2] takes 16",
    ),
    (
        "too few texts",
        body_of(T_RAW[:6], sized(IN_T, 6)),
        errors.TextsCutShort,
        "'t' ends before element 1; 2 elements",
    ),
    ("half a length", body_of(T_RAW[:9], sized(IN_T, 9)), errors.TextsCutShort, "before element 1"),
    ("a text beyond the end", body_of(b"\2\0\0\0a", sized(IN_T, 5)), errors.TextBeyondEnd, "takes 2 bytes, but only 1"),
    (
        "a huge text",
        body_of(b"\xff\xff\xff\xff" + b"a" * 6, sized(IN_T, 10)),
        errors.TextBeyondEnd,
        "Element 0 of input 't' takes 4294967295 bytes",
    ),
    ("too many texts", body_of(T_RAW + b"\0" * 4, sized(IN_T, 14)), errors.TextsLeftOver, "4 bytes behind its 2"),
    ("no UTF-8", body_of(b"\1\0\0\0\xff" + b"\0" * 4, sized(IN_T, 9)), errors.TextNotUtf8, "Element 0 of input 't'"),
    ("a third truth", body_of(b"\1\2", IN_B), errors.ByteNotBoolean, "Element 1 of input 'b' is the byte 2"),
]


@pytest.mark.parametrize(("body", "kind", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_inconsistent_is_refused_by_name(
    body: tuple[bytes, int | None], kind: type[ProtocolError], text: str
) -> None:
    """Each way in which sizes, shapes and bytes can disagree has an error of its own, which names the tensor."""
    with pytest.raises(ProtocolError) as refused:
        DECODER.decode(*body)
    assert type(refused.value) is kind
    assert text in str(refused.value)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["12", "12"], errors.LengthHeaderTwice),
        (["12, 12"], errors.LengthHeaderMalformed),
        (["-1"], errors.LengthHeaderNegative),
        (["+1"], errors.LengthHeaderMalformed),
        (["1.0"], errors.LengthHeaderMalformed),
        ([""], errors.LengthHeaderMalformed),
        (["-"], errors.LengthHeaderMalformed),
        (["٣"], errors.LengthHeaderMalformed),
        (["1" * 5000], errors.LengthHeaderMalformed),
    ],
)
def test_a_length_that_is_none_is_refused(values: list[str], kind: type[ProtocolError]) -> None:
    """The header must be given once, as a number that is not negative."""
    with pytest.raises(kind):
        json_length(values)


def test_the_length_is_read() -> None:
    """One number is the length, no header is none."""
    assert json_length(["120"]) == 120
    assert json_length([]) is None


@pytest.mark.parametrize("apart", [frozenset(), {"x"}, {"t"}, {"x", "b"}, {"x", "t", "b"}])
def test_json_and_binary_may_be_mixed(apart: frozenset[str]) -> None:
    """Whichever inputs stand behind the JSON, the tensors and their digest are the same."""
    mixed, whole = decoded(GOOD, apart=apart), decoded(GOOD)
    for name, array in GOOD.items():
        assert np.array_equal(mixed.feeds[name], array)
        assert mixed.feeds[name].dtype == array.dtype
    assert input_digest(mixed) == input_digest(whole)


def test_a_display_input_may_be_binary() -> None:
    """What only people see stands in its place among the raw tensors."""
    photo = np.array(["one", "two"], np.object_)
    request = decoded({"x": X, "photo": photo, "t": T, "b": B})
    assert request.display["photo"].tolist() == ["one", "two"]
    assert request.feeds["t"].tolist() == T.tolist()


@pytest.mark.parametrize("datatype", NUMPY)
@settings(max_examples=30)
@given(data=st.data())
def test_binary_and_json_are_the_same_tensors(datatype: str, data: st.DataObject) -> None:
    """A tensor decodes to the same array, with the same digest, from both forms; and its bytes are its bytes again."""
    array = data.draw(tensors(datatype))
    spec = TensorSpec(name="x", datatype=datatype, shape=(-1,) * array.ndim)  # type: ignore[arg-type]
    decoder = RequestDecoder(Signature(inputs=(spec,), outputs=()), batch_axis=None)
    binary = decoder.decode(*packed({"x": array}))
    text = decoder.decode(*packed({"x": array}, apart=frozenset({"x"})))
    assert binary.feeds["x"].dtype == text.feeds["x"].dtype == NUMPY[datatype]
    assert binary.feeds["x"].shape == text.feeds["x"].shape == array.shape
    assert np.array_equal(binary.feeds["x"], text.feeds["x"])
    assert input_digest(binary) == input_digest(text)
    assert np.array_equal(from_bytes("x", datatype, array.shape, to_bytes(array)), array)


@given(st.binary(max_size=80), st.integers(0, 80))
def test_any_tail_is_decoded_or_refused(tail: bytes, cut: int) -> None:
    """Arbitrary bytes behind the JSON, and a JSON that ends anywhere, raise nothing but errors of ours."""
    text, length = body_of(tail, sized(IN_X, cut), sized(IN_T, max(0, len(tail) - cut)))
    for body, end in ((text, length), (text, min(len(text), cut)), (text, length - cut)):
        try:
            DECODER.decode(body, max(0, end))
        except GatewayError as error:
            assert error.status == 400  # noqa: PT017 - it may be decoded, too


def test_a_large_tensor_is_not_copied() -> None:
    """Where a body was read into its room, the tensor is that room, aligned and only borrowed."""
    array = np.arange(100_000, dtype=np.float64)
    body, length = packed({"x": array})
    room = room_for(len(body), length)
    room[:] = body
    decoder = RequestDecoder(Signature(inputs=(TensorSpec(name="x", datatype="FP64", shape=(-1,)),), outputs=()))
    fed = decoder.decode(room, length).feeds["x"]
    assert np.shares_memory(fed, np.frombuffer(room, np.uint8))
    assert fed.flags.aligned
    assert fed.ctypes.data % 64 == 0


@pytest.mark.parametrize("shift", range(4))
def test_a_tensor_is_always_aligned(shift: int) -> None:
    """A tensor that lies askew in its body is copied, because a model may not be fed one."""
    data = memoryview(b"\0" * shift + X_RAW)[shift:]
    fed = from_bytes("x", "FP32", (2, 2), data)
    assert fed.flags.aligned
    assert np.array_equal(fed, X)


WANTED = [
    ({}, None, ()),
    ({"binary_data_output": False}, None, ()),
    ({"binary_data_output": True}, None, ("review_status", "y", "z")),
    ({"binary_data_output": True}, [{"name": "z"}], ("z",)),
    ({"binary_data_output": True}, [{"name": "z", "parameters": {"binary_data": False}}, {"name": "y"}], ("y",)),
    ({}, [{"name": "z", "parameters": {"binary_data": True}}, {"name": "y"}], ("z",)),
    ({"binary_data_output": True}, [{"name": "z", "parameters": {"note": 2}}], ("z",)),
]


@pytest.mark.parametrize(("parameters", "outputs", "binary"), WANTED)
def test_what_is_said_of_an_output_counts_more(
    parameters: dict[str, object], outputs: list[dict[str, object]] | None, binary: tuple[str, ...]
) -> None:
    """`binary_data_output` speaks for all outputs, `binary_data` for its own."""
    assert decoded(GOOD, parameters=parameters, outputs=outputs).binary == binary


@pytest.mark.parametrize(
    "fields",
    [
        {"parameters": {"binary_data_output": "yes"}},
        {"outputs": [{"name": "y", "parameters": {"binary_data": 1}}]},
    ],
)
def test_a_wish_that_is_neither_true_nor_false_is_refused(fields: dict[str, Any]) -> None:
    """What says how outputs go must be a boolean."""
    with pytest.raises(FieldMistyped, match="must be of type boolean"):
        decoded(GOOD, **fields)


def test_a_response_may_mix_both() -> None:
    """Binary outputs follow the JSON in the order of the outputs, each with its size and without data."""
    outputs = {"y": np.array([1, 2], np.float32), "t": np.array(["a", "é"], np.object_), "n": np.array([7], np.int8)}
    encoded = encode_response(model="m", outputs=outputs, binary=("t", "y", "review_status"))
    assert msgspec.json.decode(encoded.json)["outputs"] == [
        {"name": "y", "shape": [2], "datatype": "FP32", "parameters": {"binary_data_size": 8}},
        {"name": "t", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": 11}},
        {"name": "n", "shape": [1], "datatype": "INT8", "data": [7]},
    ]
    assert [bytes(raw) for raw in encoded.tensors] == [outputs["y"].tobytes(), b"\1\0\0\0a\2\0\0\0\xc3\xa9"]
    assert np.shares_memory(np.frombuffer(encoded.tensors[0], np.uint8), outputs["y"])


def test_a_transposed_output_is_sent_row_major() -> None:
    """Memory order does not reach the wire."""
    array = np.arange(6, dtype=np.int32).reshape(2, 3).T
    [raw] = encode_response(model="m", outputs={"x": array}, binary=("x",)).tensors
    assert np.frombuffer(raw, np.int32).tolist() == [0, 3, 1, 4, 2, 5]


def test_a_binary_output_that_is_not_finite_is_refused() -> None:
    """What JSON may not carry does not go out as bytes either."""
    with pytest.raises(OutputNotFinite, match="'y'"):
        encode_response(model="m", outputs={"y": np.array([np.nan], np.float32)}, binary=("y",))
