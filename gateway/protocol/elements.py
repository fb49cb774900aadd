"""The `data` of an input, flat or nested, as a numpy array of its datatype. Nothing is converted silently.

The text is parsed straight into the Python type of its datatype, so that whatever else it holds is never made; what is
wrong with it is read off the parser's complaint.
"""

import re
from collections.abc import Mapping
from functools import cache, reduce
from itertools import chain, islice
from math import prod
from typing import Any, NoReturn

import msgspec
import numpy as np

from gateway.protocol.datatypes import NUMPY, Tensor
from gateway.protocol.errors import (
    DataNotArray,
    FloatForInteger,
    MalformedJson,
    NullElement,
    NumberOutOfRange,
    UnevenNesting,
    WrongElement,
    WrongElementCount,
)

_PYTHON: Mapping[str, type] = {"b": bool, "i": int, "u": int, "f": float, "O": str}
"""The Python type of what JSON may give for each numpy kind; `bool` is not a number here, a whole number a float is."""
_EXPECTED = {"b": "true or false", "i": "whole numbers", "u": "whole numbers", "f": "numbers", "O": "strings"}
_FOUND = {"bool": "a boolean", "int": "a number", "float": "a number", "str": "a string", "array": "an array",
          "object": "an object"}  # fmt: skip
_BEGIN = re.compile(rb"\s*\[(\s*\[)?")
_COMPLAINT = re.compile(r"(?:Expected `([^`]+)`, got `([^`]+)`|.*) - at `\$([^`]*)`")
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_INDEX = re.compile(r"\[(\d+)\]")
_COUNTED_BYTES = 1024 * 1024
"""From this size on the elements of a text are counted before they are made."""


def to_array(name: str, datatype: str, shape: tuple[int, ...], data: msgspec.Raw) -> Tensor:
    """The array of a tensor, of `shape` (sizes, already within limits) and the dtype of `datatype`, row-major.

    `data` is the JSON of its elements. Raises a ProtocolError that names the tensor when count, nesting, kind or range
    of the elements is wrong.
    """
    begin = _BEGIN.match(data)
    if begin is None:
        raise DataNotArray(tensor=name)
    dtype = NUMPY[datatype]
    if len(data) > _COUNTED_BYTES:
        (_check_texts if dtype.kind == "O" else _check_count)(name, shape, data)
    depth = len(shape) if begin[1] and shape else 1
    elements = _flat(name, shape, _parsed(name, datatype, shape, data, depth), depth)
    if len(elements) != prod(shape):
        raise WrongElementCount(tensor=name, expected=prod(shape), found=len(elements))
    return _converted(name, datatype, elements).reshape(shape)


def _parsed(name: str, datatype: str, shape: tuple[int, ...], data: msgspec.Raw, depth: int) -> list[Any]:
    """The elements, in lists nested `depth` deep."""
    try:
        return _decoder(NUMPY[datatype].kind, depth).decode(data)
    except msgspec.ValidationError as error:
        _refuse(name, datatype, shape, str(error), error)
    except ValueError as error:
        raise MalformedJson from error


@cache
def _decoder(kind: str, depth: int) -> "msgspec.json.Decoder[list[Any]]":
    """The parser of lists nested `depth` deep, of the elements of a numpy kind."""
    nested: Any = _PYTHON[kind]
    for _ in range(depth):
        nested = list[nested]
    return msgspec.json.Decoder(nested)


def _check_count(name: str, shape: tuple[int, ...], data: msgspec.Raw) -> None:
    """Refuses more elements than the shape has room for, before any is made: between two of them stands a comma."""
    commas = _times(",", data)
    if commas >= prod(size or 1 for size in shape):
        raise WrongElementCount(tensor=name, expected=prod(shape), found=commas + 1)


def _check_texts(name: str, shape: tuple[int, ...], data: msgspec.Raw) -> None:
    """The same for texts, which may hold commas and quotes themselves; those with many are looked at one by one."""
    room = prod(size or 1 for size in shape)
    if _times('"', data) > 2 * room and any(True for _ in islice(_TEXT.finditer(data), room, None)):
        raise WrongElementCount(tensor=name, expected=prod(shape), found=f"more than {room}")


def _times(character: str, data: msgspec.Raw) -> int:
    """How often a character stands in a text."""
    text, sign = np.frombuffer(data, np.uint8), ord(character)
    pieces = (text[at : at + _COUNTED_BYTES] for at in range(0, text.size, _COUNTED_BYTES))
    return sum(int(np.count_nonzero(piece == sign)) for piece in pieces)


def _flat(name: str, shape: tuple[int, ...], data: list[Any], depth: int) -> list[Any]:
    """The elements in row-major order; nested data must follow the shape at every level."""
    if depth == 1:
        return data
    level = [data]
    for axis, size in enumerate(shape):
        if any(len(part) != size for part in level):
            raise UnevenNesting(tensor=name, level=axis, expected=size)
        level = list(chain.from_iterable(level))
    return level


def _converted(name: str, datatype: str, elements: list[Any]) -> Tensor:
    """The elements as a vector. A finite number that overflows the datatype is refused, not made infinite."""
    try:
        with np.errstate(over="raise"):
            return np.array(elements, NUMPY[datatype])
    except (OverflowError, FloatingPointError) as error:
        raise NumberOutOfRange(tensor=name, datatype=datatype) from error


def _refuse(name: str, datatype: str, shape: tuple[int, ...], complaint: str, cause: Exception) -> NoReturn:
    """Names the element that the parser complains about."""
    found = _COMPLAINT.fullmatch(complaint)
    at = [int(index) for index in _INDEX.findall(found[3] if found else "")]
    if found is None or found[1] is None:
        raise NumberOutOfRange(tensor=name, datatype=datatype) from cause
    if found[1] == "array":
        raise UnevenNesting(tensor=name, level=len(at), expected=shape[len(at)]) from cause
    index = reduce(lambda before, step: before * step[1] + step[0], zip(at[1:], shape[1:], strict=False), at[0])
    kind = NUMPY[datatype].kind
    if found[2] == "null":
        raise NullElement(tensor=name, index=index, datatype=datatype) from cause
    if kind in "iu" and found[2] == "float":
        raise FloatForInteger(tensor=name, index=index, datatype=datatype) from cause
    raise WrongElement(
        tensor=name, index=index, datatype=datatype, found=_FOUND[found[2]], expected=_EXPECTED[kind]
    ) from cause
