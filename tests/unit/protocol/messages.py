"""Requests with binary tensors, as a client writes them."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from gateway.protocol.datatypes import datatype_of

Array = np.ndarray[Any, Any]


def raw_of(array: Array) -> bytes:
    """The bytes that the extension asks for."""
    if array.dtype.kind != "O":
        return array.astype(array.dtype.newbyteorder("<")).tobytes(order="C")
    texts = [text.encode() for text in array.ravel().tolist()]
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)


def in_json(name: str, array: Array) -> dict[str, Any]:
    """The tensor with its data in the JSON."""
    return {"name": name, "shape": array.shape, "datatype": datatype_of(array), "data": array.ravel().tolist()}


def behind(name: str, array: Array) -> dict[str, Any]:
    """The tensor with its data behind the JSON."""
    size = {"binary_data_size": len(raw_of(array))}
    return {"name": name, "shape": array.shape, "datatype": datatype_of(array), "parameters": size}


def packed(inputs: Mapping[str, Array], *, apart: frozenset[str] = frozenset(), **fields: Any) -> tuple[bytes, int]:
    """The body and the length of its JSON, with the data of the inputs `apart` in the JSON."""
    messages = [in_json(name, array) if name in apart else behind(name, array) for name, array in inputs.items()]
    text = msgspec.json.encode({"inputs": messages, **fields})
    return text + b"".join(raw_of(array) for name, array in inputs.items() if name not in apart), len(text)
