"""Reads the body of a plain request: numbers straight to the bytes of tensors. Pure.

In doubt a body is not plain; the general reading then takes it, or says what is wrong with it.
"""

from array import array
from hashlib import sha256
from math import prod
from typing import Any, NamedTuple, Self

import msgspec
import numpy as np

from gateway.protocol.datatypes import NUMPY, Tensor
from gateway.protocol.signature import ANY_SIZE, Signature, TensorSpec

BYTES_MAX = 1024
"""The most bytes of tensors that a plain request brings; more is kept as an object of its own."""
ITEMS_MAX = 64
_CODES = {
    "FP32": "f", "FP64": "d", "INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q",
    "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q",
}  # fmt: skip
"""The datatypes whose bytes an array of the standard library makes, refusing what does not fit."""


class PlainInput(NamedTuple):
    """One tensor of a plain request, as the traffic log keeps it."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: bytes


class PlainRequest:
    """A plain request: its tensors in the order of the signature, and their digest."""

    __slots__ = ("digest", "id", "inputs", "items")

    def __init__(self, id: str | None, inputs: tuple[PlainInput, ...], items: int, digest: str) -> None:  # noqa: A002
        self.id = id
        self.inputs = inputs
        self.items = items
        self.digest = digest


class _Floats(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class _Whole(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: str
    shape: list[int]
    datatype: str
    data: list[int]


class _FloatRequest(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    inputs: list[_Floats]
    id: str | None = None


class _WholeRequest(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    inputs: list[_Whole]
    id: str | None = None


class PlainReader:
    """Reads the plain requests of one release."""

    def __init__(self, inputs: tuple[TensorSpec, ...], *, several: bool) -> None:
        whole = NUMPY[inputs[0].datatype].kind in "iu"
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_WholeRequest if whole else _FloatRequest)
        self._inputs = inputs
        self._several = several
        self._tails = tuple(tuple(spec.shape[1:]) for spec in inputs)
        self._elements = tuple(prod(tail) for tail in self._tails)
        self._codes = tuple(_CODES[spec.datatype] for spec in inputs)
        self._by_name = sorted(range(len(inputs)), key=lambda at: inputs[at].name)
        self._heads: dict[int, tuple[bytes, ...]] = {}

    @classmethod
    def of(cls, signature: Signature, batch_axis: int | None) -> Self | None:
        """The reader of a model with these inputs; None where its requests are never plain."""
        specs = signature.inputs
        kinds = {NUMPY[spec.datatype].kind in "iu" for spec in specs}
        batched = all(
            spec.shape and ANY_SIZE not in spec.shape[1:] and spec.shape[0] in (ANY_SIZE, 1) for spec in specs
        )
        numbers = all(spec.datatype in _CODES for spec in specs)
        if batch_axis != 0 or len(kinds) != 1 or not batched or not numbers or not np.little_endian:
            return None
        return cls(specs, several=all(spec.shape[0] == ANY_SIZE for spec in specs))

    def read(self, body: bytes) -> PlainRequest | None:
        """The request in a body; None where it is not plain."""
        try:
            message = self._decoder.decode(body)
            inputs = self._tensors(message.inputs)
        except (ValueError, OverflowError, RecursionError):
            return None
        if inputs is None:
            return None
        items = inputs[0].shape[0]
        return PlainRequest(message.id, inputs, items, self._digest(inputs, items))

    def feeds(self, requests: list[PlainRequest], items: int) -> dict[str, Tensor]:
        """The tensors of these requests one after the other, `items` in all, read-only."""
        feeds: dict[str, Tensor] = {}
        for at, spec in enumerate(self._inputs):
            data = b"".join([request.inputs[at].data for request in requests])
            feeds[spec.name] = np.frombuffer(data, NUMPY[spec.datatype]).reshape(items, *self._tails[at])
        return feeds

    def _tensors(self, messages: list[Any]) -> tuple[PlainInput, ...] | None:
        """The tensors in the order of the signature; None where names, shapes or numbers of elements are not right."""
        if len(messages) != len(self._inputs):
            return None
        items, size, found = messages[0].shape[0] if messages[0].shape else 0, 0, []
        if not 0 < items <= (ITEMS_MAX if self._several else 1):
            return None
        for at, spec in enumerate(self._inputs):
            message = messages[at]
            shape, tail = tuple(message.shape), self._tails[at]
            if message.name != spec.name or message.datatype != spec.datatype or shape != (items, *tail):
                return None
            if len(message.data) != items * self._elements[at]:
                return None
            data = array(self._codes[at], message.data).tobytes()
            size += len(data)
            found.append(PlainInput(spec.name, spec.datatype, shape, data))
        return tuple(found) if size <= BYTES_MAX else None

    def _digest(self, inputs: tuple[PlainInput, ...], items: int) -> str:
        """The digest of the tensors, as `gateway.facts.tensors_digest` makes it."""
        heads = self._heads.get(items)
        if heads is None:
            heads = self._heads[items] = tuple(digest_head(each.name, each.datatype, each.shape) for each in inputs)
        if len(inputs) == 1:
            return sha256(heads[0] + inputs[0].data).hexdigest()
        return sha256(b"".join([heads[at] + inputs[at].data for at in self._by_name])).hexdigest()


def digest_head(name: str, datatype: str, shape: tuple[int, ...]) -> bytes:
    """What stands before the elements of a tensor in a digest."""
    return f"{name}\0{datatype}\0{shape}\0".encode()
