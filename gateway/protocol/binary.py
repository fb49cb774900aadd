"""The binary tensor extension: tensors as raw bytes behind the JSON, little-endian and row-major, both ways. Pure.

A request says with the header LENGTH_HEADER where its JSON ends. Behind it stand, without gaps and in the order of the
inputs, those that have a `binary_data_size`. BOOL is one byte an element; BYTES is a length of 4 bytes and so many
bytes of UTF-8 an element. What a tensor is made of is the body itself, not a copy, wherever it lies aligned.
"""

from collections.abc import Sequence
from math import prod

import numpy as np

from gateway.protocol import binary_errors as errors
from gateway.protocol.datatypes import NUMPY, Tensor

Body = bytes | memoryview
"""The bytes of a request; a view is one of bytes, flat."""

LENGTH_HEADER = "Inference-Header-Content-Length"
SIZE = "binary_data_size"
_DIGITS_MAX = 18
_ALIGNED = 64
_PREFIX = 4


def json_length(values: Sequence[str]) -> int | None:
    """The bytes of JSON by all values of the header; None without one, for then the body is JSON alone."""
    if not values:
        return None
    if len(values) > 1:
        raise errors.LengthHeaderTwice(found=len(values))
    digits = values[0].removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _DIGITS_MAX):
        raise errors.LengthHeaderMalformed(found=values[0])
    if digits != values[0]:
        raise errors.LengthHeaderNegative(found=values[0])
    return int(digits)


def room_for(size: int, json_bytes: int) -> memoryview:
    """Room for a body in which the first tensor lies as a processor likes it; memory is taken as it is filled."""
    room = np.empty(size + _ALIGNED, np.uint8)
    at, _ = room.__array_interface__["data"]  # its `ctypes` would make objects for it in Python
    begin = -(at + json_bytes) % _ALIGNED
    return room.data[begin : begin + size]


class RawTensors:
    """The bytes behind the JSON, taken tensor by tensor."""

    def __init__(self, body: Body, json_bytes: int) -> None:
        if json_bytes > len(body):
            raise errors.JsonBeyondBody(found=json_bytes, size=len(body))
        view = memoryview(body)
        self.json = view[:json_bytes]
        self._left = view[json_bytes:]
        self._last = "the JSON"

    def take(self, name: str, size: object) -> memoryview:
        """The next tensor's bytes; `size` is what its `binary_data_size` says."""
        if type(size) is not int:
            raise errors.BinarySizeMistyped(tensor=name, found=repr(size))
        if size < 0:
            raise errors.BinarySizeNegative(tensor=name, found=size)
        if size > len(self._left):
            raise errors.BinaryBeyondBody(tensor=name, found=size, left=len(self._left))
        taken, self._left, self._last = self._left[:size], self._left[size:], f"input '{name}'"
        return taken

    def end(self) -> None:
        """Refuse bytes that belong to no input."""
        if self._left:
            raise errors.BinaryLeftOver(found=len(self._left), tensor=self._last)


def from_bytes(name: str, datatype: str, shape: tuple[int, ...], data: memoryview) -> Tensor:
    """The array of a tensor, of `shape` (sizes, already within limits) and the dtype of `datatype`.

    It may be read-only: it is the body. Raises a ProtocolError that names the tensor when size or elements are wrong.
    """
    if datatype == "BYTES":
        return np.array(_texts(name, prod(shape), data), np.object_).reshape(shape)
    dtype = NUMPY[datatype]
    expected = prod(shape) * dtype.itemsize
    if len(data) != expected:
        raise errors.BinarySizeWrong(
            tensor=name, found=len(data), datatype=datatype, shape=list(shape), expected=expected
        )
    if datatype == "BOOL":
        _check_booleans(name, data)
    array = np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)
    return array if array.flags.aligned else array.copy()


def to_bytes(tensor: Tensor) -> memoryview:
    """The tensor's bytes, not copied where they lie in row-major order already."""
    if tensor.dtype.kind in "OUS":
        texts = [each.encode() if isinstance(each, str) else bytes(each) for each in tensor.ravel().tolist()]
        return memoryview(b"".join(len(text).to_bytes(_PREFIX, "little") + text for text in texts))
    flat = np.ascontiguousarray(tensor, tensor.dtype.newbyteorder("<")).reshape(-1)
    return flat.view(np.uint8).data


def _texts(name: str, count: int, data: memoryview) -> list[str]:
    """The elements of a BYTES tensor."""
    texts: list[str] = []
    at, end = 0, len(data)
    for index in range(count):
        begin = at + _PREFIX
        if begin > end:
            raise errors.TextsCutShort(tensor=name, index=index, expected=count)
        length = int.from_bytes(data[at:begin], "little")
        at = begin + length
        if at > end:
            raise errors.TextBeyondEnd(tensor=name, index=index, found=length, left=end - begin)
        try:
            texts.append(str(data[begin:at], "utf-8"))
        except UnicodeDecodeError as error:
            raise errors.TextNotUtf8(tensor=name, index=index) from error
    if at < end:
        raise errors.TextsLeftOver(tensor=name, found=end - at, expected=count)
    return texts


def _check_booleans(name: str, data: memoryview) -> None:
    """Refuses what is neither 0 nor 1, which numpy would take for a third truth."""
    raw = np.frombuffer(data, np.uint8)
    if raw.size and raw.max() > 1:
        index = int(np.argmax(raw > 1))
        raise errors.ByteNotBoolean(tensor=name, index=index, found=int(raw[index]))
