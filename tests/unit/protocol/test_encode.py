"""Answers are encoded exactly, or refused."""

import msgspec
import numpy as np
import pytest

from gateway.protocol.datatypes import datatype_of
from gateway.protocol.encode import MUCH, encode_held, encode_response
from gateway.protocol.errors import OutputNotFinite


def test_a_response_has_the_fields_of_the_protocol() -> None:
    """Model, version, id, parameters and outputs stand in the body as the specification names them."""
    outputs = {"label": np.array(["a", b"\xc3\xa9"], object), "p": np.array([[0.5, 0.25]], np.float16)}
    encoded = encode_response(model="m", version="3", id="7", parameters={"path": "automated"}, outputs=outputs)
    assert msgspec.json.decode(encoded.json) == {
        "model_name": "m",
        "model_version": "3",
        "id": "7",
        "parameters": {"path": "automated"},
        "outputs": [
            {"name": "label", "shape": [2], "datatype": "BYTES", "data": ["a", "é"]},
            {"name": "p", "shape": [1, 2], "datatype": "FP16", "data": [0.5, 0.25]},
        ],
    }


def test_what_is_absent_is_left_out() -> None:
    """A response without version, id and parameters does not carry nulls."""
    assert msgspec.json.decode(encode_response(model="m", outputs={}).json) == {"model_name": "m", "outputs": []}


def test_requested_outputs_come_in_the_callers_order() -> None:
    """Only what was asked for is sent, in the order in which it was asked for."""
    outputs = {name: np.zeros(1, np.int8) for name in ("a", "b", "c")}
    response = msgspec.json.decode(encode_response(model="m", outputs=outputs, requested=["c", "a"]).json)
    assert [output["name"] for output in response["outputs"]] == ["c", "a"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_an_output_that_is_not_finite_is_refused(value: float, dtype: type[np.floating]) -> None:
    """NaN and infinity are refused with the output's name, never sent as null."""
    with pytest.raises(OutputNotFinite, match="'score'") as refused:
        encode_response(model="m", outputs={"score": np.array([1, value], dtype)})
    assert (refused.value.status, refused.value.code) == (422, "output-not-finite")


def test_an_output_that_nobody_asked_for_may_be_anything() -> None:
    """Only outputs that are sent must be finite."""
    outputs = {"good": np.ones(1, np.float32), "bad": np.array([np.nan], np.float32)}
    assert encode_response(model="m", outputs=outputs, requested=["good"])


@pytest.mark.parametrize("dtype", [np.uint64, np.int64])
def test_large_integers_keep_every_digit(dtype: type[np.integer]) -> None:
    """64-bit integers are not rounded."""
    largest = np.iinfo(dtype).max
    response = msgspec.json.decode(encode_response(model="m", outputs={"n": np.array([largest], dtype)}).json)
    assert response["outputs"][0]["data"] == [int(largest)]


def test_a_transposed_array_is_sent_row_major() -> None:
    """Memory order does not reach the wire."""
    array = np.arange(6, dtype=np.int32).reshape(2, 3).T
    [output] = msgspec.json.decode(encode_response(model="m", outputs={"x": array}).json)["outputs"]
    assert (output["shape"], output["data"]) == ([3, 2], [0, 3, 1, 4, 2, 5])


def test_the_body_of_a_hold_shows_stock_clients_our_text() -> None:
    """A 202 has no outputs, and the error text that clients print."""
    held = {"review_status": "held", "prediction_id": "p"}
    text = "held for human review: GET /v2/predictions/p"
    body = msgspec.json.decode(encode_held(model="m", version="1", id="p", parameters=held, error=text))
    assert body == {
        "model_name": "m",
        "model_version": "1",
        "id": "p",
        "parameters": held,
        "outputs": [],
        "error": text,
    }


def test_what_is_not_finite_is_null_where_the_card_allows_it() -> None:
    """NaN and infinity are null in JSON and themselves in binary data, and are counted in both."""
    bounds = np.array([[1.5, np.nan], [-np.inf, 2.0]], np.float32)
    outputs = {"bounds": bounds, "again": bounds, "score": np.array([0.5], np.float32)}
    encoded = encode_response(
        model="m", parameters={"path": "automated"}, outputs=outputs, binary=("again",), nulls=True
    )
    response = msgspec.json.decode(encoded.json)
    assert response["parameters"] == {"path": "automated", "not_finite": True}
    assert response["outputs"] == [
        {
            "name": "bounds",
            "shape": [2, 2],
            "datatype": "FP32",
            "parameters": {"not_finite": 2},
            "data": [1.5, None, None, 2.0],
        },
        {
            "name": "again",
            "shape": [2, 2],
            "datatype": "FP32",
            "parameters": {"binary_data_size": 16, "not_finite": 2},
        },
        {"name": "score", "shape": [1], "datatype": "FP32", "data": [0.5]},
    ]
    assert bytes(encoded.tensors[0]) == bounds.tobytes()


def test_nothing_is_flagged_where_all_is_finite() -> None:
    """The flag says something: an answer without such numbers has none."""
    outputs = {"score": np.array([0.5], np.float32)}
    assert b"not_finite" not in encode_response(model="m", outputs=outputs, nulls=True).json


AWKWARD = ('n"data":[n', "null", "naïve\\n\n")
"""Names that look like what is looked for."""


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.bool_])
def test_large_outputs_are_written_as_small_ones_are(dtype: type[np.generic]) -> None:
    """Beside text and small outputs, each has the members and the numbers it would have, whatever the names are."""
    large = np.linspace(-3, 3, 4 * MUCH).astype(dtype).reshape(2, -1)
    arrays = (large, np.array(["nil", '"data":[n'], object), large[:, :2], np.array(["n"] * MUCH, object), large.T)
    outputs = {f"{AWKWARD[at % 3]}{at}": array for at, array in enumerate(arrays)}
    parameters = {"path": "automated", AWKWARD[0]: AWKWARD[0]}
    encoded = encode_response(model=AWKWARD[0], version="1", id=AWKWARD[2], parameters=parameters, outputs=outputs)
    response = msgspec.json.decode(encoded.json)
    assert [response[name] for name in ("model_name", "model_version", "id", "parameters")] == [
        AWKWARD[0],
        "1",
        AWKWARD[2],
        parameters,
    ]
    for output, (name, array) in zip(response["outputs"], outputs.items(), strict=True):
        assert (output["name"], tuple(output["shape"]), output["datatype"]) == (name, array.shape, datatype_of(array))
        assert output["data"] == array.ravel().tolist() or np.array_equal(
            np.array(output["data"], dtype), array.ravel()
        )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("at", [0, MUCH // 2, MUCH - 1])
@pytest.mark.parametrize("beside", [1, 2 * MUCH])
def test_one_number_that_is_not_finite_is_found_in_a_large_output(
    value: float, dtype: type[np.floating], at: int, beside: int
) -> None:
    """Wherever it stands, and whatever comes behind it: refused by the output's name, or null and counted."""
    scores = np.linspace(0, 1, MUCH).astype(dtype)
    scores[at] = value
    outputs = {"names": np.array(["n"], object), "scores": scores, "last": np.zeros(beside, np.float32)}
    with pytest.raises(OutputNotFinite, match="'scores'"):
        encode_response(model="m", outputs=outputs)
    response = msgspec.json.decode(encode_response(model="m", outputs=outputs, nulls=True).json)
    assert response["parameters"] == {"not_finite": True}
    assert response["outputs"][1]["parameters"] == {"not_finite": 1}
    assert [place for place, number in enumerate(response["outputs"][1]["data"]) if number is None] == [at]


def test_the_first_output_that_is_not_finite_is_named() -> None:
    """In the order in which they would be sent, large or small."""
    outputs = {"large": np.full(MUCH, np.nan, np.float32), "small": np.array([np.nan], np.float32)}
    for first, second in (("large", "small"), ("small", "large")):
        with pytest.raises(OutputNotFinite, match=f"'{first}'"):
            encode_response(model="m", outputs=outputs, requested=[first, second])


@pytest.mark.parametrize("name", [*AWKWARD, ",n", "[n", "y"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.bool_])
def test_a_single_large_output_is_looked_through(name: str, dtype: type[np.generic]) -> None:
    """It is written whatever its name is, and refused for one number at either end."""
    array = np.linspace(0, 1, MUCH).astype(dtype)
    [output] = msgspec.json.decode(encode_response(model=name, outputs={name: array}).json)["outputs"]
    assert (output["name"], np.array(output["data"], dtype).tolist()) == (name, array.tolist())
    for at in (0, -1) if dtype is not np.bool_ else ():
        wrong = array.copy()
        wrong[at] = np.nan
        with pytest.raises(OutputNotFinite):
            encode_response(model=name, outputs={name: wrong})
