"""Replies become gRPC messages: raw or typed tensors, parameters of each kind, and refusals with their metadata."""

from uuid import UUID

import numpy as np
import pytest
from grpc import StatusCode

from gateway.errors import ModelNotReady
from gateway.grpc.answer import refusal_of, response_of
from gateway.holding.errors import HeldTooLong, Unanswerable
from gateway.holding.tell import refusal
from gateway.protocol.encode import encode_held, encode_response
from gateway.protocol.inference_pb2 import ModelInferResponse
from gateway.reply import JSON, Reply, error_reply

ID = UUID(int=7)


def reply(**arrays: np.ndarray) -> Reply:
    """An answer with these outputs as bytes."""
    encoded = encode_response(
        model="m",
        version="3",
        id="r-1",
        parameters={"rule": "automated", "revising": True, "score": 0.5, "count": 2},
        outputs=arrays,
        binary=arrays.keys(),
    )
    return Reply(200, JSON, encoded.json, encoded.tensors)


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "typed"])
def test_an_answer_is_told_whole(raw: bool) -> None:
    """Names, parameters of each kind, shapes and elements arrive, raw or in their fields."""
    said = ModelInferResponse.FromString(
        response_of(reply(numbers=np.array([[1.5, -2]], np.float32), texts=np.array(["a é"], object)), raw=raw)
    )
    kinds = {name: each.WhichOneof("parameter_choice") for name, each in said.parameters.items()}
    assert (said.model_name, said.model_version, said.id) == ("m", "3", "r-1")
    assert kinds == {"rule": "string_param", "revising": "bool_param", "score": "double_param", "count": "int64_param"}
    assert [(each.name, each.datatype, list(each.shape)) for each in said.outputs] == [
        ("numbers", "FP32", [1, 2]),
        ("texts", "BYTES", [1]),
    ]
    assert not any(each.parameters for each in said.outputs)
    if raw:
        assert list(said.raw_output_contents) == [np.array([1.5, -2], "<f4").tobytes(), b"\4\0\0\0a \xc3\xa9"]
    else:
        assert list(said.outputs[0].contents.fp32_contents) == [1.5, -2]
        assert list(said.outputs[1].contents.bytes_contents) == ["a é".encode()]


def test_what_has_no_field_makes_an_answer_raw() -> None:
    """FP16 has no typed form, and raw contents hold all outputs or none."""
    said = ModelInferResponse.FromString(
        response_of(reply(half=np.array([1], np.float16), whole=np.array([1], np.int64)), raw=False)
    )
    assert len(said.raw_output_contents) == 2


@pytest.mark.parametrize(
    ("given", "status", "code", "metadata"),
    [
        (
            Reply(
                202,
                (*JSON, ("Location", f"/v2/predictions/{ID}"), ("Retry-After", "5")),
                encode_held(model="m", version="1", id="r", parameters={}, error="held for human review: GET …"),
            ),
            StatusCode.FAILED_PRECONDITION,
            "held",
            {"prediction-id": str(ID), "retry-after": "5"},
        ),
        (
            refusal(ID, HeldTooLong(url="u")),
            StatusCode.FAILED_PRECONDITION,
            "held-too-long",
            {"prediction-id": str(ID), "retry-after": "10"},
        ),
        (
            error_reply(Unanswerable(), instance=f"/v2/predictions/{ID}"),
            StatusCode.FAILED_PRECONDITION,
            "unanswerable",
            {"prediction-id": str(ID)},
        ),
        (error_reply(ModelNotReady(model="m")), StatusCode.UNAVAILABLE, "model-not-ready", {"retry-after": "1"}),
    ],
)
def test_a_refusal_says_more_in_its_metadata(
    given: Reply, status: StatusCode, code: str, metadata: dict[str, str]
) -> None:
    """The code of the error, the prediction that it is about, and when to come again."""
    told = refusal_of(given)
    assert (told.status, told.code, dict(told.metadata)) == (status, code, {"error-code": code, **metadata})
    assert told.text
