"""Tensors as a caller writes and reads them, in JSON and as raw bytes, and a model that takes every datatype."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import numpy as np

Array = np.ndarray[Any, Any]
LENGTH = "Inference-Header-Content-Length"
DTYPES = {
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    "BYTES": np.object_,
}
KINDS_CARD = """
guideline = "How much is it?"

[about]
owner = "The tests"
contact = "tests@example.org"
intended_use = "To see that every datatype is taken and given."
limitations = "It knows nothing."

[[shown]]
input = "in_FP32"
kind = "table"

[answer]
output = "score"

[labels]
kind = "number"

[policy]
audit_rate = 0.0
audit_rate_under_pressure = 0.0
"""
"""The card of `tests.models.every_datatype`."""


def some(datatype: str, shape: tuple[int, ...], seed: int = 0) -> Array:
    """Elements of a datatype, over all of its range where it has one."""
    random, dtype = np.random.default_rng(seed), np.dtype(DTYPES[datatype])
    if datatype == "BYTES":
        texts = [f"{number} é☃" * (number % 3) for number in range(int(np.prod(shape)))]
        return np.array(texts, np.object_).reshape(shape)
    if dtype.kind in "iu":
        return random.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    return random.random(shape).astype(dtype) if dtype.kind == "f" else random.random(shape) < 0.5


def raw_of(array: Array) -> bytes:
    """The bytes of a tensor as the binary tensor extension has them."""
    if array.dtype.kind != "O":
        return array.tobytes()
    texts = [text.encode() for text in array.ravel().tolist()]
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)


def written(
    inputs: Mapping[str, tuple[str, Array]], binary: frozenset[str] | None = None, **fields: object
) -> tuple[bytes, dict[str, str]]:
    """The body and headers of a request for tensors by name with their datatypes; all are binary by default."""
    behind = inputs.keys() if binary is None else binary
    messages = []
    for name, (datatype, array) in inputs.items():
        message = {"name": name, "datatype": datatype, "shape": array.shape}
        if name in behind:
            message["parameters"] = {"binary_data_size": len(raw_of(array))}
        else:
            message["data"] = array.ravel().tolist()
        messages.append(message)
    text = json.dumps({"inputs": messages, **fields}).encode()
    body = text + b"".join(raw_of(array) for name, (_, array) in inputs.items() if name in behind)
    return body, {LENGTH: str(len(text))} if behind else {}


def read(answer: httpx.Response) -> tuple[dict[str, Any], dict[str, Array]]:
    """The JSON of an answer, and its outputs by name, whichever way each of them came."""
    length = int(answer.headers.get(LENGTH, len(answer.content)))
    said, at = json.loads(answer.content[:length]), length
    outputs = {}
    for output in said["outputs"]:
        dtype, shape = DTYPES[output["datatype"]], output["shape"]
        if "data" in output:
            array = np.array(output["data"], dtype)
        else:
            size = output["parameters"]["binary_data_size"]
            array = _array(output["datatype"], answer.content[at : at + size])
            at += size
        outputs[output["name"]] = array.reshape(shape)
    assert at == len(answer.content)
    return said, outputs


def _array(datatype: str, raw: bytes) -> Array:
    if datatype != "BYTES":
        return np.frombuffer(raw, DTYPES[datatype])
    texts, at = [], 0
    while at < len(raw):
        end = at + 4 + int.from_bytes(raw[at : at + 4], "little")
        texts.append(raw[at + 4 : end].decode())
        at = end
    return np.array(texts, np.object_)
