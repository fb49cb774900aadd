"""Reads the body of a plain request: numbers straight to the bytes of tensors. Pure.

In doubt a body is not plain; the general reading then takes it, or says what is wrong with it.
"""

from array import array
from collections.abc import Callable
from functools import cache, partial
from math import prod
from struct import pack
from typing import Any, Self

import msgspec
import numpy as np

from gateway.express.hashing import begun, hex_digest
from gateway.protocol.binary import Body, to_bytes
from gateway.protocol.datatypes import NUMPY, Tensor
from gateway.protocol.decode import RequestDecoder
from gateway.protocol.errors import ProtocolError
from gateway.protocol.signature import ANY_SIZE, Signature, TensorSpec

BYTES_MAX = 1024
"""The most bytes of tensors that a plain request brings; more is kept as an object of its own."""
ITEMS_MAX = 64
KEPT_MOSTLY = 0.5
"""From this part of kept payloads on most larger requests would go the general way after their run."""
_KINDS: dict[str, type] = {"b": bool, "i": int, "u": int, "f": float, "O": str}
_CODES = {
    "FP32": "f", "FP64": "d", "INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q",
    "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q",
}  # fmt: skip
"""The datatypes whose bytes an array of the standard library makes, refusing what does not fit."""


class PlainInput(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One tensor of a plain request, as the traffic log keeps it."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: Body


class PlainRequest(msgspec.Struct, frozen=True, gc=False):
    """A plain request: its tensors in the order of the signature, and their digest."""

    id: str | None
    inputs: tuple[PlainInput, ...]
    elements: tuple[list[Any], ...]
    """The elements of each tensor as they stood in the JSON; none where they stood behind it."""
    items: int
    digest: str
    short: bool = True
    """Whether an entry has room for its tensors."""


class PlainReader:
    """Reads the plain requests of one release."""

    def __init__(self, inputs: tuple[TensorSpec, ...], careful: RequestDecoder, *, several: bool, large: bool) -> None:
        limits = careful.limits
        self._careful = careful
        self.large = large
        """Whether a request may be plain that brings more than an entry has room for."""
        kinds = [_KINDS[NUMPY[spec.datatype].kind] for spec in inputs]
        alike = len(set(kinds)) == 1
        self._decoder = _decoder(kinds[0] if alike else None)
        self._raw = not {"BOOL", "BYTES"}.intersection(spec.datatype for spec in inputs)
        self._parts = None if alike else tuple(map(_elements_decoder, kinds))
        self._inputs = inputs
        self._items_max = min(ITEMS_MAX, limits.items_max) if several else 1
        self._body_max_bytes = limits.body_max_bytes
        self._tails = tuple(tuple(spec.shape[1:]) for spec in inputs)
        self._told = tuple(
            (each.name, NUMPY[each.datatype], tail) for each, tail in zip(inputs, self._tails, strict=True)
        )
        self._elements = tuple(prod(tail) for tail in self._tails)
        self._packed = tuple(map(_packer, inputs))
        self._by_name = sorted(range(len(inputs)), key=lambda at: inputs[at].name)
        self._heads: dict[int, tuple[bytes, ...]] = {}

    @classmethod
    def of(cls, signature: Signature, batch_axis: int | None, careful: RequestDecoder, capture: float) -> Self | None:
        """The reader of a model with these inputs, of which so many are kept; None where none is ever plain.

        `careful` is how the general way reads its requests.
        """
        specs = signature.inputs
        batched = all(
            spec.shape and ANY_SIZE not in spec.shape[1:] and spec.shape[0] in (ANY_SIZE, 1) for spec in specs
        )
        if batch_axis != 0 or not specs or not batched or not np.little_endian:
            return None
        several = all(spec.shape[0] == ANY_SIZE for spec in specs)
        return cls(specs, careful, several=several, large=capture < KEPT_MOSTLY)

    def read(self, body: Body, json_bytes: int | None = None) -> PlainRequest | None:
        """The request in a body whose JSON ends after `json_bytes`; None where it is not plain."""
        if len(body) > self._body_max_bytes:
            return None
        try:
            if json_bytes is not None:
                return self._raw_request(memoryview(body), json_bytes) if self._raw else None
            if not isinstance(body, bytes):
                return self._large_request(body)
            message = self._decoder.decode(body)
            return self._request(message.id, message.inputs)
        except (ValueError, OverflowError, RecursionError, ProtocolError):
            return None

    def feeds(self, requests: list[PlainRequest], items: int) -> dict[str, Tensor]:
        """The tensors of these requests one after the other, `items` in all; numbers are read-only, or the body."""
        feeds: dict[str, Tensor] = {}
        for at, (name, dtype, tail) in enumerate(self._told):
            if dtype.kind == "O":
                texts = [text for request in requests for text in request.elements[at]]
                feeds[name] = np.array(texts, np.object_).reshape(items, *tail)
                continue
            if len(requests) == 1:
                data = requests[0].inputs[at].data
            else:
                data = b"".join([request.inputs[at].data for request in requests])
            tensor: Tensor = np.ndarray((items, *tail), dtype, data)
            feeds[name] = tensor if type(data) is bytes or tensor.flags.aligned else tensor.copy()
        return feeds

    def _request(self, id: str | None, messages: list[Any]) -> PlainRequest | None:  # noqa: A002
        """The request; None where names, shapes or numbers of elements are not those of the signature, in its order."""
        if len(messages) != len(self._inputs):
            return None
        items = messages[0].shape[0] if messages[0].shape else 0
        if not 0 < items <= self._items_max:
            return None
        size, inputs, read = 0, [], []
        for at, spec in enumerate(self._inputs):
            message, shape = messages[at], (items, *self._tails[at])
            if message.name != spec.name or message.datatype != spec.datatype or tuple(message.shape) != shape:
                return None
            elements = message.data if self._parts is None else self._parts[at].decode(message.data)
            if len(elements) != items * self._elements[at]:
                return None
            data = self._packed[at](elements)
            size += len(data)
            inputs.append(PlainInput(spec.name, spec.datatype, shape, data))
            read.append(elements)
        if size > BYTES_MAX:
            return None
        return PlainRequest(id, tuple(inputs), tuple(read), items, self._digest(inputs, items))

    def _raw_request(self, body: memoryview, json_bytes: int) -> PlainRequest | None:
        """The same where the tensors stand behind the JSON, without gaps and in its order."""
        message = _RAW.decode(body[:json_bytes])
        messages, items = (
            message.inputs,
            message.inputs[0].shape[0] if message.inputs and message.inputs[0].shape else 0,
        )
        if json_bytes > len(body) or len(messages) != len(self._inputs) or not 0 < items <= self._items_max:
            return None
        start, inputs, short = json_bytes, [], len(body) - json_bytes <= BYTES_MAX
        if not (short or self.large):
            return None
        for at, spec in enumerate(self._inputs):
            each, shape = messages[at], (items, *self._tails[at])
            size = items * self._elements[at] * NUMPY[spec.datatype].itemsize
            told = each.name, each.datatype, tuple(each.shape), each.parameters.binary_data_size
            if told != (spec.name, spec.datatype, shape, size):
                return None
            data = body[start : start + size]
            inputs.append(PlainInput(spec.name, spec.datatype, shape, data.tobytes() if short else data))
            start += size
        if start != len(body):
            return None
        return PlainRequest(message.id, tuple(inputs), (), items, self._digest(inputs, items), short=short)

    def _large_request(self, body: Body) -> PlainRequest | None:
        """The same for a large body of numbers, read as the general way reads it. Raises: ProtocolError."""
        message = self._careful.decode(body)
        if message.parameters or message.outputs or not 0 < message.items <= self._items_max:
            return None
        inputs = [
            PlainInput(spec.name, spec.datatype, message.feeds[spec.name].shape, to_bytes(message.feeds[spec.name]))
            for spec in self._inputs
        ]
        digest = self._digest(inputs, message.items)
        return PlainRequest(message.id, tuple(inputs), (), message.items, digest, short=False)

    def _digest(self, inputs: list[PlainInput], items: int) -> str:
        """The digest of the tensors, as `gateway.facts.tensors_digest` makes it."""
        heads = self._heads.get(items)
        if heads is None:
            heads = self._heads[items] = tuple(digest_head(each.name, each.datatype, each.shape) for each in inputs)
        if len(inputs) == 1 and isinstance(inputs[0].data, bytes):
            return hex_digest(heads[0] + inputs[0].data)
        digest = begun()
        for at in self._by_name:
            digest.update(heads[at])
            digest.update(inputs[at].data)
        told: str = digest.hexdigest()
        return told


class _RawSize(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    binary_data_size: int


class _RawTensor(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: str
    shape: list[int]
    datatype: str
    parameters: _RawSize


class _RawBody(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    inputs: list[_RawTensor]
    id: str | None = None


_RAW = msgspec.json.Decoder(_RawBody)
"""The parser of requests whose tensors stand behind their JSON."""


def digest_head(name: str, datatype: str, shape: tuple[int, ...]) -> bytes:
    """What stands before the elements of a tensor in a digest."""
    return f"{name}\0{datatype}\0{shape}\0".encode()


@cache
def _decoder(kind: type | None) -> "msgspec.json.Decoder[Any]":
    """The parser of requests whose tensors are all of one kind, or each of its own and then parsed later."""
    data: Any = msgspec.Raw if kind is None else list[kind]  # type: ignore[valid-type]
    fields: list[Any] = [("name", str), ("shape", list[int]), ("datatype", str), ("data", data)]
    tensor: Any = msgspec.defstruct("PlainTensor", fields, forbid_unknown_fields=True, gc=False)
    parts: list[Any] = [("inputs", list[tensor]), ("id", str | None, None)]
    return msgspec.json.Decoder(msgspec.defstruct("PlainBody", parts, forbid_unknown_fields=True, gc=False))


@cache
def _elements_decoder(kind: type) -> "msgspec.json.Decoder[list[Any]]":
    """The parser of the elements of one tensor."""
    return msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]


def _packer(spec: TensorSpec) -> Callable[[list[Any]], bytes]:
    """What makes bytes of elements, as the binary extension has them. Raises: OverflowError, ValueError."""
    if spec.datatype == "BYTES":
        return _texts
    if spec.datatype == "BOOL":
        return bytes
    if spec.datatype == "FP16":
        return _halves
    return partial(_numbers, _CODES[spec.datatype])


def _numbers(code: str, elements: list[Any]) -> bytes:
    return array(code, elements).tobytes()


def _halves(elements: list[float]) -> bytes:
    return pack(f"<{len(elements)}e", *elements)


def _texts(elements: list[str]) -> bytes:
    texts = [text.encode() for text in elements]
    return b"".join([len(text).to_bytes(4, "little") + text for text in texts])
