"""Large requests, read in one pass: flat arrays of numbers go straight from the text into tensors.

The only door to simdjson. It reads what large requests look like and nothing else: whatever is unusual or wrong in a
body is left to the careful reading in `messages` and `elements`, whose refusals say what it is.
"""

from codecs import BOM_UTF8
from collections.abc import Mapping
from math import prod
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import simdjson

from gateway.protocol.datatypes import NUMPY, Tensor
from gateway.protocol.messages import InputMessage, RequestMessage

BULK_BYTES = 32 * 1024
"""From this size on a body is read like this; below, the careful reading is as fast."""
ELEMENTS_MAX = 16 * 1024 * 1024


class _Buffer(NamedTuple):
    """How simdjson and numpy call what is read for a kind of numbers."""

    simdjson: Literal["d", "i", "u"]
    numpy: str


_BUFFERS = {"f": _Buffer("d", "f8"), "i": _Buffer("i", "i8"), "u": _Buffer("u", "u8")}
_NONE = np.empty(0)
_KEPT = simdjson.Parser()
_KEPT_MAX_BYTES = 4 * 1024 * 1024
"""What is larger gets a parser of its own, whose memory is given back with it."""


class Numbers:
    """The tensors of a message, ready: flat, of their datatypes, with as many elements as their shapes say."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = tensors

    def shaped(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """The tensor of an input."""
        return self._tensors[name].reshape(shape)


class Bulk(NamedTuple):
    """A message whose inputs have their data apart from it."""

    message: RequestMessage
    numbers: Numbers


def parse_bulk(body: bytes, elements_max: int = ELEMENTS_MAX) -> Bulk | None:
    """The request in a body; None where it is to be read with care.

    No more elements than `elements_max` are made of it: where there is room for more, commas are counted before.
    """
    if body.startswith(BOM_UTF8) or (len(body) > 2 * elements_max and body.count(b",") > elements_max):
        return None
    try:
        document: Any = _parser(len(body)).parse(body)
        members = _members(document)
        inputs = list(document["inputs"])
        # One for the inputs, two for each, and one for the outputs: none stands in another, to be flattened unseen.
        if not _has(body, b"[", 1 + 2 * len(inputs) + ("outputs" in members)):
            return None
        tensors: dict[str, Tensor] = {}
        messages = [_input(each, tensors) for each in inputs]
        rest = {name: _plain(document[name]) for name in members if name != "inputs"}
        message = msgspec.convert({**rest, "inputs": messages}, RequestMessage)
    except _UNUSUAL:
        return None
    return Bulk(message, Numbers(tensors)) if len(tensors) == len(inputs) else None


def _parser(size: int) -> simdjson.Parser:
    """A parser for so many bytes: the one that is kept has its memory already, which is a third of the work."""
    return _KEPT if size <= _KEPT_MAX_BYTES else simdjson.Parser()


def _has(body: bytes, byte: bytes, times: int) -> bool:
    """Whether the byte is so many times in the body; looking for a few of them is much quicker than counting them."""
    at = -1
    for _ in range(times):
        at = body.find(byte, at + 1)
        if at < 0:
            return False
    return body.find(byte, at + 1) < 0


class _Unusual(Exception):
    """Not what a large request looks like."""


_UNUSUAL = (_Unusual, ValueError, TypeError, KeyError, AttributeError, RuntimeError, OverflowError, FloatingPointError)
"""What simdjson and numpy say of a body that is not what was expected; msgspec's complaints are ValueErrors."""


def _members(value: Any) -> set[str]:
    """The names in an object, of which none comes twice: which one counts is not for us to choose."""
    names = list(value)
    members = set(names)
    if len(members) != len(names):
        raise _Unusual
    return members


def _input(written: Any, tensors: dict[str, Tensor]) -> InputMessage:
    """An input without its data, which becomes its tensor."""
    name, datatype, shape = written["name"], written["datatype"], written["shape"].as_list()
    if type(name) is not str or "parameters" in _members(written):
        raise _Unusual
    if not all(type(size) is int and size >= 0 for size in shape):
        raise _Unusual
    tensors[name] = _tensor(written["data"], NUMPY[datatype], prod(shape))
    return InputMessage(name=name, shape=shape, datatype=datatype)


def _tensor(data: Any, dtype: Any, elements: int) -> Tensor:
    """The flat tensor of an input, its numbers in range and as many as its shape says."""
    buffer = _BUFFERS[dtype.kind]
    if not isinstance(data, simdjson.Array) or len(data) != elements:  # an object can be empty, too
        raise _Unusual
    numbers: Tensor = np.frombuffer(data.as_buffer(of_type=buffer.simdjson), buffer.numpy) if elements else _NONE
    if dtype.kind != "f" and elements and not _within(numbers, np.iinfo(dtype)):
        raise _Unusual
    with np.errstate(over="raise"):
        return numbers.astype(dtype, copy=False)


def _within(numbers: Tensor, limits: Any) -> bool:
    return bool(numbers.min() >= limits.min and numbers.max() <= limits.max)


def _plain(value: Any) -> Any:
    """The value in Python's own types."""
    if isinstance(value, simdjson.Object):
        return value.as_dict()
    return value.as_list() if isinstance(value, simdjson.Array) else value
