"""Binary tensors through a real server: each datatype both ways, held answers, retries, and large tensors."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.acceptance.cards import CLASSES, doubtful, request, sure
from tests.acceptance.scene import Scene
from tests.acceptance.tensors import DTYPES, KINDS_CARD, LENGTH, Array, read, some, written
from tests.models import every_datatype
from tests.servers.process import until

STOCK = Path(__file__).parent / "stock"
RAW = {"parameters": {"binary_data_output": True}}
ONE = {"outputs": [{"name": "out_INT64", "parameters": {"binary_data": True}}, {"name": "score"}]}


@pytest.fixture(scope="module")
def served(scene: Scene) -> Scene:
    """The model `kinds`, which gives back each datatype, and the model `raw`, which is unsure of some items."""
    scene.add("kinds", every_datatype(), KINDS_CARD)
    scene.found("raw", wait_cap_s=50.0)
    scene.switch("kinds", on=True)
    scene.switch("raw", on=True)
    scene.until_automated("raw")
    with scene.server.client(scene.caller) as client:
        until(lambda: ask(client, "kinds", kinds((1, 1)), prefer="wait=0").is_success, "kinds answers")
    return scene


@pytest.fixture
def caller(served: Scene) -> Iterator[httpx.Client]:
    """A service."""
    with served.server.client(served.caller) as client:
        yield client


def kinds(shape: tuple[int, int]) -> dict[str, tuple[str, Array]]:
    """Inputs of the model `kinds`."""
    return {f"in_{name}": (name, some(name, shape)) for name in DTYPES}


def rows(*items: list[float]) -> dict[str, tuple[str, Array]]:
    """Inputs of the model `raw`."""
    return {"x": ("FP32", np.array(items, np.float32))}


def ask(
    client: httpx.Client,
    model: str,
    inputs: dict[str, tuple[str, Array]],
    *,
    binary: frozenset[str] | None = None,
    wish: dict[str, object] = RAW,
    key: str = "",
    prefer: str = "",
) -> httpx.Response:
    """Send a request with these inputs as binary data."""
    body, headers = written(inputs, binary, **wish)
    more = {"Prefer": prefer} if prefer else {}
    more |= {"Idempotency-Key": key} if key else {}
    return client.post(f"/v2/models/{model}/infer", content=body, headers=headers | more)


@pytest.mark.parametrize("wish", [{}, RAW, ONE], ids=["JSON", "binary", "mixed"])
@pytest.mark.parametrize("binary", [None, frozenset(), {"in_BYTES", "in_FP16"}], ids=["binary", "JSON", "mixed"])
@pytest.mark.parametrize("shape", [(2, 3), (0, 3)], ids=["full", "empty"])
def test_every_datatype_goes_in_and_comes_out(
    caller: httpx.Client, shape: tuple[int, int], binary: frozenset[str] | None, wish: dict[str, object]
) -> None:
    """Each tensor comes back as it went in, an empty batch, too, however each of them travels."""
    inputs = kinds(shape)
    answer = ask(caller, "kinds", inputs, binary=binary, wish=wish)
    assert answer.status_code == 200, answer.text
    said, outputs = read(answer)
    assert said["parameters"]["review_status"] == "automated"
    assert (LENGTH in answer.headers) == bool(wish)
    assert answer.headers["Content-Type"] == ("application/octet-stream" if wish else "application/json")
    for name in outputs.keys() - {"score"}:
        assert np.array_equal(outputs[name], inputs[name.replace("out", "in")][1]), name


def test_a_large_tensor_goes_in_and_comes_out(caller: httpx.Client) -> None:
    """Megabytes are read and written in parts and are the same in the end."""
    inputs = kinds((50, 1)) | {"in_FP32": ("FP32", some("FP32", (50, 40_000)))}
    answer = ask(caller, "kinds", inputs)
    assert answer.status_code == 200, answer.text
    assert np.array_equal(read(answer)[1]["out_FP32"], inputs["in_FP32"][1])


def test_the_same_tensors_are_the_same_request(caller: httpx.Client) -> None:
    """A hold is joined by equal input in the other form, and asked for later it is told as JSON."""
    item = doubtful()
    held = ask(caller, "raw", rows(item), prefer="respond-async")
    assert (held.status_code, LENGTH in held.headers) == (202, False)
    again = caller.post("/v2/models/raw/infer", json=request(item), headers={"Prefer": "respond-async"})
    assert again.json()["parameters"]["prediction_id"] == held.json()["parameters"]["prediction_id"]
    assert caller.get(held.headers["Location"]).json()["parameters"]["review_status"] == "held"
    assert caller.delete(held.headers["Location"]).status_code == 204


async def test_a_corrected_answer_is_told_as_it_was_asked_for(served: Scene) -> None:
    """Who waits gets the correction as binary data, a later GET gets it as JSON, and a retry with the key as before."""
    item = doubtful()
    with served.server.client(served.caller) as client:
        held = ask(client, "raw", rows(item), key="raw-1", prefer="respond-async").json()["parameters"]["prediction_id"]
        async with served.reviewing() as reviewer:
            await reviewer.settle(held, "correct", "low")
        told = [ask(client, "raw", rows(item), key="raw-1"), client.get(f"/v2/predictions/{held}")]
    assert [LENGTH in answer.headers for answer in told] == [True, False]
    for answer in told:
        said, outputs = read(answer)
        assert said["parameters"]["review_status"] == "corrected"
        assert CLASSES[int(outputs["probabilities"].argmax())] == "low"


def test_an_answer_is_repeated_byte_for_byte(caller: httpx.Client) -> None:
    """A retry under an Idempotency-Key gets the same binary answer again."""
    item = sure()
    first, again = (ask(caller, "raw", rows(item), key="raw-2") for _ in range(2))
    assert LENGTH in first.headers
    assert first.content == again.content


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_bodies_are_compressed_both_ways(caller: httpx.Client, coding: str) -> None:
    """A compressed request is the same request, and a large answer comes compressed to whoever takes it."""
    inputs = kinds((50, 1)) | {"in_INT64": ("INT64", np.zeros((50, 1000), np.int64))}
    body, headers = written(inputs, **RAW)
    packed = gzip.compress(body) if coding == "gzip" else zlib.compress(body)
    wishes = headers | {"Content-Encoding": coding, "Accept-Encoding": coding}
    answer = caller.post("/v2/models/kinds/infer", content=packed, headers=wishes)
    assert answer.status_code == 200, answer.text
    assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == (coding, "Accept-Encoding")
    assert int(answer.headers["Content-Length"]) < 50_000
    assert np.array_equal(read(answer)[1]["out_INT64"], inputs["in_INT64"][1])
    plain = caller.post("/v2/models/kinds/infer", content=body, headers=headers | {"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert np.array_equal(read(plain)[1]["out_INT64"], inputs["in_INT64"][1])


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([(LENGTH, "2"), (LENGTH, "2")], "length-header-twice"),
        ([(LENGTH, "-2")], "length-header-negative"),
        ([(LENGTH, "two")], "length-header-malformed"),
        ([(LENGTH, "99")], "json-beyond-body"),
    ],
)
def test_a_length_that_is_none_is_refused(caller: httpx.Client, headers: list[tuple[str, str]], code: str) -> None:
    """Each fault of the header has a text of its own."""
    refused = caller.post("/v2/models/raw/infer", content=b"{}", headers=headers)
    assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (400, code)


async def test_the_triton_clients_send_every_form(served: Scene, client_python: Callable[[str], Path]) -> None:
    """Each client, form, compression and datatype gets back what was sent, and every other verb is answered."""
    seen = await caller_of("triton_tensors", client_python("triton"), served, served.caller, "kinds", "20", "100")
    assert (seen["answers"], seen["wrong"]) == (36, [])
    assert (seen["id"], seen["live"], seen["ready"], seen["model_ready"]) == ("r-1", True, True, [True, True])
    assert {"binary_tensor_data", "statistics", "model_configuration"} <= set(seen["server"]["extensions"])
    assert {"name": "in_BYTES", "data_type": "TYPE_STRING", "dims": [-1, -1]} in seen["config"]["input"]
    assert {"name": "kinds", "version": "1", "state": "READY", "reason": ""} in seen["index"]
    [stats] = seen["stats"]["model_stats"]
    assert stats["execution_count"] >= 37
    assert stats["paths"]["automated"]["count"] == stats["inference_stats"]["success"]["count"]
    assert 20 in [batch["batch_size"] for batch in stats["batch_stats"]]


async def test_only_an_operator_loads(served: Scene, client_python: Callable[[str], Path]) -> None:
    """A caller is refused; an operator hears that the model is there, and why nothing is unloaded or sent in."""
    python = client_python("triton")
    refused = await caller_of("triton_repository", python, served, served.caller, "kinds")
    assert [refused[verb].split(" ")[0] for verb in ("load", "file", "unload", "unknown")] == [
        "403",
        "403",
        "403",
        "404",
    ]
    told = await caller_of("triton_repository", python, served, served.operate, "kinds")
    assert told["load"] == ""
    assert told["file"].startswith("400 The parameter 'config' is refused")
    assert told["unload"].startswith("409 'kinds@1' is the champion of 'kinds'")
    assert told["unknown"].startswith("404")


async def test_the_kserve_client_sends_every_datatype(served: Scene, client_python: Callable[[str], Path]) -> None:
    """As binary data and as JSON, there and back, each tensor comes back as it went; and the other verbs answer."""
    seen = await caller_of("kserve_tensors", client_python("kserve"), served, served.caller, "kinds")
    assert (seen["outputs"], seen["wrong"], seen["ready"]) == (52, [], [True, True, True])


async def caller_of(script: str, python: Path, scene: Scene, key: str, *words: str) -> dict[str, Any]:
    """What a stock client saw, in an environment of its own."""
    command = [str(STOCK / f"{script}.py"), f"127.0.0.1:{scene.server.port}", key, *words]
    pipe = asyncio.subprocess.PIPE
    done = await asyncio.create_subprocess_exec(python, *command, stdout=pipe, stderr=pipe)
    out, errors = await done.communicate()
    assert done.returncode == 0, errors.decode()
    seen: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    return seen
