"""The protocol's addresses and refusals through a real server: what shared/WIRE.md promises, row by row."""

import json
from collections.abc import Callable
from typing import Any

import grpc
import httpx
import numpy as np
import pytest

from tests.acceptance.cards import request, sure
from tests.acceptance.rpc import FIELDS, outputs, refused
from tests.acceptance.scene import Scene
from tests.acceptance.tensors import DTYPES, LENGTH, written
from tests.acceptance.ways import Ways, code_of, kinds, typed
from tests.models import softmax
from tests.servers.process import until

KIND = "/v2/models/each-kind"
GOOD = {"in_BOOL": b"\1", "in_BYTES": b"\2\0\0\0\xc3\xa9"} | {
    f"in_{name}": np.ones(1, dtype).tobytes() for name, dtype in DTYPES.items() if name not in ("BOOL", "BYTES")
}
"""The raw bytes of one element for each input of `each-kind`."""
Spoil = Callable[[dict[str, Any], dict[str, bytes]], object]


def packed(spoil: Spoil, length: str | None = None, tail: bytes = b"") -> tuple[bytes, dict[str, str]]:
    """A binary request for `each-kind` that was good before it was spoilt, and its headers."""
    raw = dict(GOOD)
    inputs: dict[str, Any] = {
        name: {"name": name, "datatype": name[3:], "shape": [1, 1], "parameters": {"binary_data_size": len(data)}}
        for name, data in raw.items()
    }
    document: dict[str, Any] = {"inputs": list(inputs.values())}
    spoil(inputs, raw)
    text = json.dumps(document).encode()
    return text + b"".join(raw.values()) + tail, {LENGTH: length or str(len(text)), "Prefer": "wait=0"}


def unspoilt(_inputs: dict[str, Any], _raw: dict[str, bytes]) -> None:
    """Nothing is changed."""


def sized(name: str, size: object) -> Spoil:
    """Another size for an input."""
    return lambda inputs, _: inputs[name]["parameters"].update(binary_data_size=size)


def holding(name: str, data: bytes) -> Spoil:
    """Other bytes for an input, of the size that it says."""

    def spoil(inputs: dict[str, Any], raw: dict[str, bytes]) -> None:
        raw[name] = data
        sized(name, len(data))(inputs, raw)

    return spoil


def shaped(name: str, *sizes: int) -> Spoil:
    """Another shape for an input."""
    return lambda inputs, _: inputs[name].update(shape=list(sizes))


REFUSED: list[tuple[str, tuple[bytes, dict[str, str]], str, str]] = [
    (
        "beyond the body",
        packed(unspoilt, "9999"),
        "json-beyond-body",
        "the JSON has 9999 bytes, but the whole body has",
    ),
    ("negative", packed(unspoilt, "-1"), "length-header-negative", "is -1; no JSON has a negative length"),
    ("no number", packed(unspoilt, "0x10"), "length-header-malformed", "must be a number of bytes, not '0x10'"),
    ("a fraction", packed(unspoilt, "1.5"), "length-header-malformed", "not '1.5'"),
    ("into the tensors", packed(unspoilt, "1300"), "malformed-json", "not valid JSON"),
    ("short of the JSON", packed(unspoilt, "100"), "malformed-json", "not valid JSON"),
    ("more than the rest", packed(sized("in_BYTES", 60)), "binary-beyond-body", "but only 5"),
    ("less than the rest", packed(unspoilt, tail=b"12"), "binary-left-over", "2 bytes behind input 'in_FP64'"),
    (
        "not shape × datatype",
        packed(holding("in_FP32", b"\0" * 8)),
        "binary-size-wrong",
        "FP32 of shape [1, 1] takes 4",
    ),
    ("half an element", packed(holding("in_INT16", b"\0")), "binary-size-wrong", "INT16 of shape [1, 1] takes 2"),
    ("a negative size", packed(sized("in_INT8", -1)), "binary-size-negative", "of input 'in_INT8' is -1"),
    ("a size in words", packed(sized("in_INT8", "1")), "binary-size-mistyped", "must be a whole number, not '1'"),
    (
        "data beside a size",
        packed(lambda inputs, _: inputs["in_FP32"].update(data=[1])),
        "binary-and-data",
        "'in_FP32' has both 'data' and 'binary_data_size'",
    ),
    (
        "a text past the end",
        packed(holding("in_BYTES", b"\3\0\0\0\xc3\xa9")),
        "text-beyond-end",
        "takes 3 bytes, but only 2",
    ),
    (
        "an endless text",
        packed(holding("in_BYTES", b"\xff\xff\xff\xffab")),
        "text-beyond-end",
        "takes 4294967295 bytes",
    ),
    ("no room for a length", packed(holding("in_BYTES", b"\0\0")), "texts-cut-short", "ends before element 0"),
    ("too many texts", packed(holding("in_BYTES", b"\0" * 8)), "texts-left-over", "4 bytes behind its 1 elements"),
    ("a text that is none", packed(holding("in_BYTES", b"\1\0\0\0\xff")), "text-not-utf8", "BYTES carries text"),
    ("a third truth", packed(holding("in_BOOL", b"\2")), "byte-not-boolean", "is the byte 2; BOOL takes 0 and 1"),
    ("an overflowing shape", packed(shaped("in_INT8", 2**62, 4)), "shape-overflow", "can be counted in 63 bits"),
    ("a shape past 64 bits", packed(shaped("in_INT8", 2**64, 1)), "shape-overflow", "can be counted in 63 bits"),
    (
        "too many elements",
        packed(shaped("in_INT8", 1, 2**24 + 1)),
        "too-many-elements",
        "has 16777217 elements; at most",
    ),
    ("too many items", packed(shaped("in_INT8", 4097, 1)), "too-many-items", "has 4097 items, and at most 4096"),
    (
        "a negative dimension",
        packed(shaped("in_INT8", -1, 1)),
        "negative-dimension",
        "is -1; a request states real sizes",
    ),
]


@pytest.mark.parametrize(("sent", "code", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_each_inconsistency_is_refused_by_its_own_text(
    ways: Ways, sent: tuple[bytes, dict[str, str]], code: str, text: str
) -> None:
    """Sizes, shapes and bytes that disagree are 400 with what was found, what was expected, and of which tensor."""
    refused = ways.client.post(f"{KIND}/infer", content=sent[0], headers=sent[1])
    assert (refused.status_code, code_of(refused), refused.headers["Content-Type"]) == (400, code, "application/json")
    assert text in refused.json()["error"]
    assert refused.json()["instance"] == f"{KIND}/infer"


def test_what_was_not_spoilt_is_answered(ways: Ways) -> None:
    """The requests of the table above are good ones but for what was spoilt."""
    body, headers = packed(unspoilt)
    assert ways.client.post(f"{KIND}/infer", content=body, headers=headers).status_code == 200


def test_json_that_is_too_deep_is_refused(ways: Ways) -> None:
    """However it is nested, and however large the body is."""
    for text in (
        '{"more":' + '{"a":' * 5_000,
        '{"inputs":[{"data":' + "[" * 5_000,
        '{"inputs":[{"data":' + "[" * 90_000,
    ):
        refused = ways.client.post(f"{KIND}/infer", content=text)
        assert (refused.status_code, code_of(refused)) == (400, "json-too-deep")


LIMITS: dict[str, tuple[int | float, int | float]] = {
    "UINT8": (0, 2**8 - 1),
    "UINT16": (0, 2**16 - 1),
    "UINT32": (0, 2**32 - 1),
    "UINT64": (0, 2**64 - 1),
    "INT8": (-(2**7), 2**7 - 1),
    "INT16": (-(2**15), 2**15 - 1),
    "INT32": (-(2**31), 2**31 - 1),
    "INT64": (-(2**63), 2**63 - 1),
    "FP16": (-65504.0, 65504.0),
    "FP32": (-3.4028234663852886e38, 3.4028234663852886e38),
    "FP64": (-1.7976931348623157e308, 1.7976931348623157e308),
}
BEYOND = {"FP16": (-65520, 65520), "FP32": (-3.5e38, 3.5e38), "FP64": (-(10**309), 10**309)}
"""The next numbers, which would become infinite; of whole numbers it is one less and one more."""


def asked(ways: Ways, columns: int, **changes: list[Any]) -> httpx.Response:
    """The answer to JSON with so many zeros for each input, of which some are changed at their front."""
    zeros: dict[str, Any] = {"BOOL": False, "BYTES": ""}
    inputs = []
    for name in DTYPES:
        front = changes.get(name, [])
        data = front + [zeros.get(name, 0)] * (columns - len(front))
        inputs.append({"name": f"in_{name}", "datatype": name, "shape": [1, columns], "data": data})
    return ways.client.post(f"{KIND}/infer", json={"inputs": inputs}, headers={"Prefer": "wait=0"})


@pytest.mark.parametrize("columns", [2, 2_000], ids=["small", "large"])
def test_the_limits_of_each_datatype_are_taken_whole(ways: Ways, columns: int) -> None:
    """The least and the largest number of each come back to the last digit."""
    answer = asked(ways, columns, **{name: list(limits) for name, limits in LIMITS.items()})
    assert answer.status_code == 200, answer.text[:300]
    told = {each["name"]: np.array(each["data"][:2], DTYPES[each["datatype"]]) for each in answer.json()["outputs"]}
    for name, limits in LIMITS.items():
        assert np.array_equal(told[f"out_{name}"], np.array(limits, DTYPES[name])), name


@pytest.mark.parametrize("columns", [2, 2_000], ids=["small", "large"])
def test_what_is_beyond_a_datatype_is_refused_by_name(ways: Ways, columns: int) -> None:
    """One more than the largest and one less than the least: neither wraps round nor becomes infinite."""
    for name, limits in LIMITS.items():
        for beyond in BEYOND.get(name, (int(limits[0]) - 1, int(limits[1]) + 1)):
            refused = asked(ways, columns, **{name: [beyond]})
            assert (refused.status_code, code_of(refused)) == (400, "number-out-of-range"), (name, beyond)
            assert f"Input 'in_{name}' holds a number that does not fit {name}." in refused.json()["error"]


@pytest.mark.parametrize("columns", [1, 2_000], ids=["small", "large"])
def test_nothing_is_converted_silently(ways: Ways, columns: int) -> None:
    """What is of another kind than its datatype is refused with the element's place."""
    wrong: dict[str, list[tuple[object, str]]] = {
        "BOOL": [(1, "wrong-element"), ("true", "wrong-element"), (None, "null-element")],
        "BYTES": [(1, "wrong-element"), (True, "wrong-element"), (None, "null-element")],
    }
    for name in DTYPES:
        rows = wrong.get(name, [(True, "wrong-element"), ("1", "wrong-element"), (None, "null-element")])
        if "INT" in name:
            rows = [*rows, (1.5, "float-for-integer"), (2.0, "float-for-integer")]
        for value, code in rows:
            refused = asked(ways, columns, **{name: [value]})
            assert (refused.status_code, code_of(refused)) == (400, code), (name, value)
            assert f"Element 0 of input 'in_{name}' is" in refused.json()["error"] or code == "float-for-integer"


@pytest.mark.parametrize("shape", [(2, 3), (0, 3)], ids=["full", "empty"])
def test_typed_contents_of_every_datatype_come_back(ways: Ways, shape: tuple[int, int]) -> None:
    """Each in its own field, there and back, over all of its range."""
    inputs = typed(shape)
    answer = ways.rpc.call("ModelInfer", ways.rpc.inference("each-typed", inputs, raw=False), key=ways.scene.caller)
    assert not answer.raw_output_contents
    told = outputs(answer)
    for name, (_, array) in inputs.items():
        assert np.array_equal(told[name.replace("in", "out")], array), name


def test_typed_contents_have_limits_too(ways: Ways) -> None:
    """Over gRPC several datatypes share a field, which holds more than they do."""
    for name in ("UINT8", "UINT16", "INT8", "INT16"):
        for beyond in {int(LIMITS[name][0]) - 1, int(LIMITS[name][1]) + 1} - {-1}:
            message = ways.rpc.message("ModelInferRequest")(model_name="each-kind")
            for kind, field in FIELDS.items():
                tensor = message.inputs.add(name=f"in_{kind}", datatype=kind, shape=[1, 1])
                zero = beyond if kind == name else b"" if kind == "BYTES" else 0
                getattr(tensor.contents, field).append(zero)
            assert _told(ways, message) == "number-out-of-range"


def _told(ways: Ways, message: Any) -> str:
    """The code of the refusal of a message."""
    with pytest.raises(grpc.RpcError) as caught:
        ways.rpc.call("ModelInfer", message, key=ways.scene.caller)
    return refused(caught.value)[1]


@pytest.mark.parametrize("prefix", ["/v2/models/grades", "/v2/models/grades/versions/1"])
def test_each_address_answers_with_and_without_a_version(scene: Scene, prefix: str) -> None:
    """Metadata, readiness, statistics, configuration and answers of the version that serves."""
    with scene.server.client(scene.caller) as client:
        assert client.get(prefix).json()["versions"] == ["1"]
        assert client.get(f"{prefix}/ready").json() == {"name": "grades", "ready": True}
        assert client.get(f"{prefix}/stats").json()["model_stats"][0]["version"] == "1"
        assert client.get(f"{prefix}/config").json()["version_policy"] == {"specific": {"versions": [1]}}
        answer = client.post(f"{prefix}/infer", json=request(sure()), headers={"Prefer": "wait=0"})
        assert answer.status_code in (200, 503)


UNKNOWN = ("/v2/models/nothing", "/v2/models/Grades", f"/v2/models/{'n' * 300}", "/v2/models/grades/versions/9")


@pytest.mark.parametrize("place", UNKNOWN, ids=["a name", "another case", "a long name", "a version"])
@pytest.mark.parametrize("verb", ["", "/ready", "/stats", "/config", "/infer"])
def test_what_is_not_served_is_404(scene: Scene, place: str, verb: str) -> None:
    """A model or version that is not here is told so in our words, whatever is asked about it."""
    with scene.server.client(scene.caller) as client:
        method = "POST" if verb == "/infer" else "GET"
        refused = client.request(method, place + verb, json=request(sure()) if verb == "/infer" else None)
    assert refused.status_code == 404, refused.text
    assert code_of(refused) == ("unknown-version" if "versions" in place else "unknown-model")
    assert len(refused.json()["error"]) < 200


def test_another_method_is_told_which_one_there_is(scene: Scene) -> None:
    """405 in our words, with the methods of the address."""
    with scene.server.client(scene.caller) as client:
        for path, method, allowed in (("/infer", "GET", "POST"), ("/ready", "POST", "GET"), ("", "DELETE", "GET")):
            refused = client.request(method, f"/v2/models/grades{path}")
            assert (refused.status_code, code_of(refused)) == (405, "method-not-allowed")
            assert allowed in refused.headers["Allow"].split(", ")


NOT_SERVED = {
    "/v2/systemsharedmemory/status": "shared memory",
    "/v2/cudasharedmemory/status": "shared memory",
    "/v2/systemsharedmemory/region/r/register": "shared memory",
    "/v2/cudasharedmemory/unregister": "shared memory",
    "/v2/trace/setting": "trace",
    "/v2/models/grades/trace/setting": "trace",
    "/v2/logging": "logging",
    "/v2/models/grades/generate": "generate",
    "/v2/models/grades/versions/1/generate_stream": "generate",
}


@pytest.mark.parametrize(("path", "extension"), NOT_SERVED.items())
def test_an_extension_that_is_not_served_is_501(scene: Scene, path: str, extension: str) -> None:
    """What else Triton's clients may ask is refused by name, and without a key it is 401."""
    for method in ("GET", "POST"):
        with scene.server.client(scene.caller) as client, scene.server.client("") as stranger:
            refused = client.request(method, path)
            assert (refused.status_code, code_of(refused)) == (501, "extension-not-served")
            assert f"extension '{extension}' is not served" in refused.json()["error"]
            assert stranger.request(method, path).status_code == 401


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/problem+json", "application/problem+json"),
        ("application/json, Application/Problem+JSON; q=0.5", "application/problem+json"),
        ("application/problem+json;q=0", "application/json"),
        ("application/problem+json; q=0.0, */*", "application/json"),
    ],
)
def test_errors_are_json_unless_problems_are_asked_for(scene: Scene, accept: str, kind: str) -> None:
    """Every error has RFC 9457's fields beside its text, and its media type where `Accept` names that."""
    headers = {"Accept": accept, "Prefer": "wait=0"}
    with scene.server.client(scene.caller) as client, scene.server.client("") as stranger:
        told = [
            client.post("/v2/models/grades/infer", content=b"{", headers=headers),
            client.post("/v2/models/nothing/infer", content=b"{}", headers=headers),
            client.get("/v2/models/nothing", headers=headers),
            client.get("/v2/nothing", headers=headers),
            stranger.post("/v2/models/grades/infer", content=b"{}", headers=headers),
        ]
        found = client.get("/v2/models/grades", headers=headers)
    for error in told:
        assert error.headers["Content-Type"] == kind
        said = error.json()
        assert said["error"] == said["detail"]
        assert said["status"] == error.status_code
        assert said["instance"] == error.request.url.path
        assert said.keys() == {"error", "type", "title", "status", "detail", "instance"}
    assert (found.status_code, found.headers["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("name", ["stats", "repository", "Grades", "a.b", "a" * 64, "-a"])
def test_some_names_are_no_models(scene: Scene, name: str) -> None:
    """A model may not be named like an address of the protocol, nor otherwise than names are written."""
    files = {"file": ("model.onnx", softmax()), "card": ("model.toml", b"")}
    refused = scene.operator.post(f"/api/v1/models/{name}/versions", files=files)
    assert refused.status_code == 400, refused.text


def test_loading_and_unloading_are_recorded(ways: Ways) -> None:
    """Who asked for a step is in the audit trail, of an unload that is refused, too; a caller's asking is not."""
    scene = ways.scene
    before = len(_steps(scene))
    with scene.server.client(scene.caller) as caller:
        for verb in ("load", "unload"):
            assert caller.post(f"/v2/repository/models/zipped/{verb}").status_code == 403
    assert scene.operator.post("/v2/repository/models/zipped/load", json={"parameters": {}}).status_code == 200
    for parameters in ({"unload_dependents": True}, {}):
        refused = scene.operator.post("/v2/repository/models/zipped/unload", json={"parameters": parameters})
        assert (refused.status_code, code_of(refused)) == (409, "champion-stays")
    refused = scene.operator.post(
        "/v2/repository/models/zipped/load", json={"parameters": {"file:1/model.onnx": "eA=="}}
    )
    assert (refused.status_code, code_of(refused)) == (400, "loading-refused")
    until(lambda: len(_steps(scene)) == before + 3, "the steps are told")
    assert _steps(scene)[before:] == ["model.load_asked", "model.unload_asked", "model.unload_asked"]


def test_the_index_lists_the_ready_ones(ways: Ways) -> None:
    """A bare array of the models that the key may use, whatever body comes with the question, or none."""
    client = ways.client
    whole = client.post("/v2/repository/index").json()
    assert {"name": "each-kind", "version": "1", "state": "READY", "reason": ""} in whole
    assert client.post("/v2/repository/index", json={"ready": True}).json() == whole
    refused = client.post("/v2/repository/index", json={"ready": "yes"})
    assert (refused.status_code, code_of(refused)) == (400, "request-does-not-fit")


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("gzip;q=0.1, deflate;q=0.9", "deflate"),
        ("gzip;q=0, *;q=0.5", "deflate"),
        ("br, gzip;q=0.2", "gzip"),
        ("identity;q=1, gzip;q=0.5", None),
        ("gzip;q=0", None),
        ("br", None),
    ],
)
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
def test_a_large_answer_is_compressed_as_its_caller_likes_best(
    ways: Ways, accepted: str, coding: str | None, binary: bool
) -> None:
    """By the weights of Accept-Encoding; the length header counts the JSON that is inside."""
    inputs = kinds((20, 1)) | {"in_INT64": ("INT64", np.zeros((20, 3000), np.int64))}
    fields = {"parameters": {"binary_data_output": True}} if binary else {}
    body, headers = written(inputs, **fields)
    headers |= {"Accept-Encoding": accepted, "Prefer": "wait=0"}
    answer = ways.client.post(f"{KIND}/infer", content=body, headers=headers)
    assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, coding)
    said = json.loads(answer.content[: int(answer.headers.get(LENGTH, len(answer.content)))])
    assert said["outputs"][0]["name"].startswith("out_")
    assert (int(answer.headers["Content-Length"]) < len(answer.content)) == (coding is not None)


def _steps(scene: Scene) -> list[str]:
    """The kinds of events about loading the model `zipped`, in their order."""
    told = scene.admin.get("/api/v1/timeline", params={"model": "zipped"}).json()["entries"]
    return [each["type"] for each in reversed(told) if each["type"].endswith("load_asked")]
