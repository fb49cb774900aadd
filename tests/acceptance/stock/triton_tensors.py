"""Every datatype by the stock Triton clients: `triton_tensors.py HOST:PORT KEY MODEL ROWS COLUMNS`.

Each client sends each form under each compression and compares what comes back; then it asks whatever else it can ask.
The last line is JSON: how many answers came, what was wrong with them, and what the other verbs said. It runs in an
environment that holds the client and nothing of ours.
"""

import asyncio
import itertools
import json
import sys
from typing import Any

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.http import aio as async_http
from tritonclient.utils import triton_to_np_dtype

FORMS = list(itertools.product((True, False), ("none", "all", "each"), (None, "gzip", "deflate")))
"""Binary inputs or JSON; no outputs named, all as JSON, or each as binary data; the compression both ways."""


def tensors(metadata: dict[str, Any], shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """An array for each input."""
    random, arrays = np.random.default_rng(1), {}
    for spec in metadata["inputs"]:
        kind = np.dtype(triton_to_np_dtype(spec["datatype"]))
        if kind.kind == "O":
            arrays[spec["name"]] = np.array([f"{n} é" for n in range(shape[0] * shape[1])], object).reshape(shape)
        else:
            arrays[spec["name"]] = random.integers(0, 2 if kind.kind == "b" else 100, shape).astype(kind)
    return arrays


def request(metadata: dict[str, Any], arrays: dict[str, np.ndarray], form: tuple[bool, str, str | None]) -> dict:
    """The arguments of `infer`."""
    binary, wanted, compression = form
    inputs = []
    for spec in metadata["inputs"]:
        array = arrays[spec["name"]]
        inputs.append(InferInput(spec["name"], list(array.shape), spec["datatype"]))
        inputs[-1].set_data_from_numpy(array, binary_data=binary)
    names = [spec["name"] for spec in metadata["outputs"]]
    outputs = [InferRequestedOutput(name, binary_data=wanted == "each") for name in names]
    packing = {"request_compression_algorithm": compression, "response_compression_algorithm": compression}
    return {"inputs": inputs, "outputs": None if wanted == "none" else outputs, **packing}


def faults(result: Any, arrays: dict[str, np.ndarray], form: object) -> list[str]:
    """What came back otherwise than it went."""
    wrong = []
    for name, array in arrays.items():
        got = result.as_numpy(name.replace("in_", "out_"))
        sent = (
            np.array([text.encode() for text in array.ravel()], object).reshape(array.shape)
            if array.dtype == object
            else array
        )
        as_bytes = (
            got if got.dtype != object else np.array([_bytes(each) for each in got.ravel()], object).reshape(got.shape)
        )
        if not np.array_equal(as_bytes, sent):
            wrong.append(f"{form} {name}")
    return wrong


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


async def by_aio(address: str, model: str, shape: tuple[int, int], headers: dict[str, str]) -> tuple[int, list[str]]:
    """All forms by the asynchronous client."""
    wrong: list[str] = []
    async with async_http.InferenceServerClient(address) as client:
        metadata = await client.get_model_metadata(model, headers=headers)
        arrays = tensors(metadata, shape)
        for form in FORMS:
            wanted = request(metadata, arrays, form)
            wrong += faults(await client.infer(model, headers=dict(headers), **wanted), arrays, ("aio", *form))
    return len(FORMS), wrong


def main(address: str, key: str, model: str, *size: str) -> dict[str, object]:
    """What the clients saw."""
    headers = {"Authorization": f"Bearer {key}"}
    shape = (int(size[0]), int(size[1]))
    client = InferenceServerClient(address, network_timeout=60.0, connection_timeout=60.0)
    metadata = client.get_model_metadata(model, headers=headers)
    arrays, wrong = tensors(metadata, shape), []
    for form in FORMS:
        wanted = request(metadata, arrays, form)
        wrong += faults(client.infer(model, headers=dict(headers), **wanted), arrays, form)
    versioned = client.infer(
        model, model_version="1", request_id="r-1", headers=dict(headers), **request(metadata, arrays, FORMS[0])
    )
    count, more = asyncio.run(by_aio(address, model, shape, headers))
    return {
        "answers": len(FORMS) + count,
        "wrong": wrong + more,
        "id": versioned.get_response()["id"],
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model_ready": [client.is_model_ready(model, each, headers=headers) for each in ("", "1")],
        "server": client.get_server_metadata(headers=headers),
        "config": client.get_model_config(model, headers=headers),
        "index": client.get_model_repository_index(headers=headers),
        "stats": client.get_inference_statistics(model, "1", headers=headers),
    }


print(json.dumps(main(*sys.argv[1:])))
