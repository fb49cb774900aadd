"""The `data` of an input, flat or nested, as a numpy array of its datatype. Nothing is converted silently."""

from collections.abc import Mapping
from itertools import chain
from math import prod
from typing import Any

import numpy as np

from gateway.protocol.datatypes import NUMPY, Tensor
from gateway.protocol.errors import (
    FloatForInteger,
    NullElement,
    NumberOutOfRange,
    ProtocolError,
    UnevenNesting,
    WrongElement,
    WrongElementCount,
)

_INTEGERS = frozenset({int})
_NUMBERS = frozenset({int, float})
_TAKEN: Mapping[str, frozenset[type]] = {
    "b": frozenset({bool}),
    "i": _INTEGERS,
    "u": _INTEGERS,
    "f": _NUMBERS,
    "O": frozenset({str}),
}
"""The Python types that JSON may give for each numpy kind; `bool` is not a number here."""

_EXPECTED = {"b": "true or false", "i": "whole numbers", "u": "whole numbers", "f": "numbers", "O": "strings"}
_FOUND = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array", dict: "an object"}


def to_array(name: str, datatype: str, shape: tuple[int, ...], data: list[Any]) -> Tensor:
    """The array of a tensor, of `shape` (sizes, already within limits) and the dtype of `datatype`, row-major.

    Raises a ProtocolError that names the tensor when count, nesting, kind or range of the elements is wrong.
    """
    elements = _flat(name, shape, data)
    if len(elements) != prod(shape):
        raise WrongElementCount(tensor=name, expected=prod(shape), found=len(elements))
    dtype = NUMPY[datatype]
    if not _TAKEN[dtype.kind].issuperset(map(type, elements)):
        raise _wrong_element(name, datatype, elements)
    return _converted(name, datatype, elements).reshape(shape)


def _flat(name: str, shape: tuple[int, ...], data: list[Any]) -> list[Any]:
    """The elements in row-major order; nested data must follow the shape at every level."""
    if not data or type(data[0]) is not list:
        return data
    level = [data]
    for depth, size in enumerate(shape):
        if any(type(part) is not list or len(part) != size for part in level):
            raise UnevenNesting(tensor=name, level=depth, expected=size)
        level = list(chain.from_iterable(level))
    return level


def _converted(name: str, datatype: str, elements: list[Any]) -> Tensor:
    """The elements as a vector. A finite number that overflows the datatype is refused, not made infinite."""
    try:
        with np.errstate(over="raise"):
            return np.array(elements, NUMPY[datatype])
    except (OverflowError, FloatingPointError) as error:
        raise NumberOutOfRange(tensor=name, datatype=datatype) from error


def _wrong_element(name: str, datatype: str, elements: list[Any]) -> ProtocolError:
    """Names the first element of a kind that the datatype does not take."""
    kind = NUMPY[datatype].kind
    index = next(i for i, element in enumerate(elements) if type(element) not in _TAKEN[kind])
    found = elements[index]
    if found is None:
        return NullElement(tensor=name, index=index, datatype=datatype)
    if kind in "iu" and type(found) is float:
        return FloatForInteger(tensor=name, index=index, datatype=datatype)
    return WrongElement(
        tensor=name, index=index, datatype=datatype, found=_FOUND[type(found)], expected=_EXPECTED[kind]
    )
