"""Every kind of response before an independent judge: the types of MLServer, in an environment of its own."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from tests.acceptance.rpc import Inputs
from tests.acceptance.tensors import LENGTH, Array, read, written
from tests.acceptance.ways import Ways, kinds, numbers, texts, tokens
from tests.servers.environments import environment

JUDGE = Path(__file__).parent / "stock" / "mlserver_types.py"
Line = dict[str, Any]


def judged(kind: str, answer: httpx.Response, status: int = 200, expected: dict[str, Array] | None = None) -> Line:
    """A line for the judge: an answer of this status, and what its outputs must hold."""
    assert (answer.status_code, LENGTH in answer.headers) == (status, False), answer.text
    arrays = {name: [list(array.shape), array.ravel().tolist()] for name, array in (expected or {}).items()}
    return {"kind": kind, "body": answer.text, "expected": arrays}


async def verdict(lines: list[Line], folder: Path) -> list[Line]:
    """What the judge objects to."""
    file = folder / "answers"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    python = await asyncio.to_thread(environment, "server-mlserver")
    pipe = asyncio.subprocess.PIPE
    done = await asyncio.create_subprocess_exec(python / "bin" / "python", JUDGE, file, stdout=pipe, stderr=pipe)
    out, errors = await done.communicate()
    assert done.returncode == 0, errors.decode()
    said = json.loads(out.decode().splitlines()[-1])
    assert said["judged"] == [line["kind"] for line in lines]
    found: list[Line] = said["faults"]
    return found


def answered(ways: Ways, model: str, feed: Inputs, **fields: Any) -> Line:
    """A JSON answer, whose outputs must be those of the binary one."""
    expected = read(ways.post("binary", model, feed, **fields))[1]
    return judged("infer", ways.post("JSON", model, feed, **fields), expected=expected)


def with_status(ways: Ways, feed: Inputs) -> Line:
    """An answer to a request with an id that asks for `review_status`, too."""
    wanted = [{"name": "score"}, {"name": "review_status"}]
    answer = ways.post("JSON", "bounds", feed, outputs=wanted, id="r-1")
    expected = {"score": np.array(answer.json()["outputs"][0]["data"]), "review_status": np.array(["automated"])}
    assert answer.json()["id"] == "r-1"
    return judged("infer", answer, expected=expected)


OUTPUT = {"name": "y", "shape": [1], "datatype": "INT8", "data": [1]}
BROKEN: list[tuple[str, object, object]] = [
    ("infer", {"outputs": []}, {}),
    ("infer", {"model_name": "m", "outputs": [OUTPUT | {"datatype": "FP8"}]}, {}),
    ("infer", {"model_name": "m", "outputs": [OUTPUT | {"shape": ["1"]}]}, {}),
    ("infer", {"model_name": "m", "outputs": [{name: OUTPUT[name] for name in ("name", "shape", "datatype")}]}, {}),
    ("infer", {"model_name": "m", "outputs": [OUTPUT]}, {"y": [[1], [2]]}),
    ("infer", {"model_name": "m", "outputs": [OUTPUT]}, {"y": [[1, 1], [1]]}),
    ("infer", {"model_name": "m", "model_version": 1, "outputs": []}, {}),
    ("model", {"name": "m", "platform": "p", "inputs": [{"name": "x", "datatype": "FP32"}]}, {}),
    ("server", {"name": "m", "version": "1"}, {}),
    ("index", {"models": []}, {}),
    ("index", [{"name": "m", "state": "LOADED", "reason": ""}], {}),
    ("error", {"detail": "no"}, {}),
]
"""What is not as the protocol has it, and what its outputs should hold."""


async def test_every_kind_of_response_is_valid(ways: Ways, tmp_path: Path) -> None:
    """Metadata, index, answers of every datatype and shape, what is not finite, holds, fallbacks and errors.

    The judge objects to each of BROKEN, so that its silence about ours says something.
    """
    client, infer = ways.client, "/v2/models/bounds/infer"
    body, _ = written(numbers(2, 0), frozenset())
    held = client.post(infer, content=body, headers={"Prefer": "respond-async"})
    lines = [
        judged("server", client.get("/v2")),
        *(judged("model", client.get(f"/v2/models/{each}")) for each in ("each-kind", "recurrent", "zipped", "grades")),
        judged("model", client.get("/v2/models/grades/versions/1")),
        judged("index", client.post("/v2/repository/index")),
        answered(ways, "each-kind", kinds((2, 3))),
        answered(ways, "each-kind", kinds((0, 3))),
        answered(ways, "each-kind", kinds((3, 400), seed=1)),
        answered(ways, "recurrent", tokens([[1, 2, 0], [3, 0, 15]])),
        answered(ways, "recurrent", tokens([[]])),
        answered(ways, "zipped", texts("good", "bad", "so so")),
        with_status(ways, numbers(3)),
        judged("infer", ways.post("JSON", "lenient-bounds", numbers(1, 0))),
        judged("infer", held, 202),
        judged("infer", client.get(held.headers["Location"]), 202),
        judged("error", ways.post("JSON", "bounds", numbers(3, 0)), 503),
        judged("error", client.post(infer, content=b"{"), 400),
        judged("error", client.post("/v2/models/nothing/infer", content=b"{}"), 404),
        judged("error", client.get("/v2/models/nothing"), 404),
        judged("error", client.post(infer, headers={"Authorization": "Bearer lg_none"}), 401),
        judged("error", client.post("/v2/repository/models/grades/load"), 403),
        judged("error", client.get("/v2/logging"), 501),
    ]
    assert client.delete(held.headers["Location"]).status_code == 204
    lines.append(judged("error", client.get(held.headers["Location"]), 410))
    broken = [{"kind": kind, "body": json.dumps(body), "expected": expected} for kind, body, expected in BROKEN]
    found = await verdict([*lines, *broken], tmp_path)
    assert [each for each in found if each["line"] < len(lines)] == []
    assert [each["line"] - len(lines) for each in found] == list(range(len(BROKEN)))
