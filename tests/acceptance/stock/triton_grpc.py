"""Every datatype by the stock Triton clients over gRPC: `triton_grpc.py HOST:PORT KEY MODEL ROWS COLUMNS MESSAGES`.

Each client sends each form and compares what comes back; then it asks whatever else it can ask. MESSAGES is a file with
the description of the server's messages, which are held against the client's own. The last line is JSON. It runs in an
environment that holds the client and nothing of ours.
"""

import asyncio
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, json_format
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput, service_pb2
from tritonclient.grpc import aio as async_grpc
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

FORMS = list(itertools.product((False, True), (None, "gzip", "deflate")))
"""No outputs named, or each; the compression."""


def tensors(metadata: Any, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """An array for each input."""
    random, arrays = np.random.default_rng(1), {}
    for spec in metadata.inputs:
        kind = np.dtype(triton_to_np_dtype(spec.datatype))
        if kind.kind == "O":
            arrays[spec.name] = np.array([f"{n} é" for n in range(shape[0] * shape[1])], object).reshape(shape)
        else:
            arrays[spec.name] = random.integers(0, 2 if kind.kind == "b" else 100, shape).astype(kind)
    return arrays


def request(metadata: Any, arrays: dict[str, np.ndarray], form: tuple[bool, str | None]) -> dict[str, Any]:
    """The arguments of `infer`."""
    named, compression = form
    inputs = []
    for spec in metadata.inputs:
        inputs.append(InferInput(spec.name, list(arrays[spec.name].shape), spec.datatype))
        inputs[-1].set_data_from_numpy(arrays[spec.name])
    outputs = [InferRequestedOutput(spec.name) for spec in metadata.outputs] if named else None
    return {"inputs": inputs, "outputs": outputs, "compression_algorithm": compression}


def faults(result: Any, arrays: dict[str, np.ndarray], form: object) -> list[str]:
    """What came back otherwise than it went."""
    wrong = []
    for name, array in arrays.items():
        got = result.as_numpy(name.replace("in_", "out_"))
        sent = np.array([text.encode() for text in array.ravel()], object) if array.dtype == object else array
        if not np.array_equal(got.ravel(), sent.ravel()) or got.shape != array.shape:
            wrong.append(f"{form} {name}")
    return wrong


async def by_aio(address: str, model: str, shape: tuple[int, int], headers: dict[str, str]) -> tuple[int, list[str]]:
    """All forms by the asynchronous client."""
    wrong: list[str] = []
    async with async_grpc.InferenceServerClient(address) as client:
        metadata = await client.get_model_metadata(model, headers=headers)
        arrays = tensors(metadata, shape)
        for form in FORMS:
            wanted = request(metadata, arrays, form)
            wrong += faults(await client.infer(model, headers=headers, **wanted), arrays, ("aio", *form))
    return len(FORMS), wrong


def said(call: Callable[[], object]) -> str:
    """The error that the client's user sees, or nothing."""
    try:
        call()
    except InferenceServerException as error:
        return f"{error.status()} {error.message()}"
    return ""


def strangers(path: str) -> Iterator[str]:
    """The messages and fields of the server that the client does not know, or knows under other numbers."""
    theirs = {name.full_name: name for name in _known(service_pb2.DESCRIPTOR)}
    file = descriptor_pb2.FileDescriptorProto.FromString(Path(path).read_bytes())
    for message in file.message_type:
        yield from _differences(f"{file.package}.{message.name}", message, theirs)


def _known(file: Any) -> Iterator[Any]:
    waiting = list(file.message_types_by_name.values())
    for dependency in file.dependencies:
        waiting += dependency.message_types_by_name.values()
    while waiting:
        message = waiting.pop()
        yield message
        waiting += message.nested_types


def _differences(name: str, message: Any, theirs: dict[str, Any]) -> Iterator[str]:
    if name not in theirs:
        yield name
        return
    fields = theirs[name].fields_by_name
    for field in message.field:
        known = fields.get(field.name)
        if known is None or (known.number, known.type) != (field.number, field.type):
            yield f"{name}.{field.name}"
    for nested in message.nested_type:
        yield from _differences(f"{name}.{nested.name}", nested, theirs)


def main(address: str, key: str, operator: str, model: str, rows: str, columns: str, messages: str) -> dict[str, Any]:
    """What the clients saw."""
    headers, shape = {"authorization": f"Bearer {key}"}, (int(rows), int(columns))
    by_operator = {"authorization": f"Bearer {operator}"}
    client = InferenceServerClient(address)
    metadata = client.get_model_metadata(model, headers=headers)
    arrays, wrong = tensors(metadata, shape), []
    for form in FORMS:
        wrong += faults(client.infer(model, headers=headers, **request(metadata, arrays, form)), arrays, form)
    versioned = client.infer(
        model, model_version="1", request_id="r-1", headers=headers, **request(metadata, arrays, FORMS[0])
    )
    count, more = asyncio.run(by_aio(address, model, shape, headers))
    return {
        "answers": len(FORMS) + count,
        "wrong": wrong + more,
        "strangers": list(strangers(messages)),
        "id": versioned.get_response().id,
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model_ready": [client.is_model_ready(model, each, headers=headers) for each in ("", "1")],
        "server": json_format.MessageToDict(client.get_server_metadata()),
        "config": client.get_model_config(model, headers=headers, as_json=True),
        "index": client.get_model_repository_index(headers=headers, as_json=True),
        "stats": client.get_inference_statistics(model, "1", headers=headers, as_json=True),
        "refused": {
            "no key": said(lambda: client.get_model_metadata(model)),
            "load": said(lambda: client.load_model(model, headers=headers)),
            "unknown": said(lambda: client.load_model("nothing-like-it", headers=headers)),
        },
        "operator": {
            "load": said(lambda: client.load_model(model, headers=by_operator)),
            "file": said(lambda: client.load_model(model, headers=by_operator, config="{}", files={"file:1/m": b"x"})),
            "unload": said(lambda: client.unload_model(model, headers=by_operator)),
        },
    }


print(json.dumps(main(*sys.argv[1:])))
