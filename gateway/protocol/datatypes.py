"""The datatypes of the Open Inference Protocol beside those of numpy and ONNX.

BYTES tensors are object arrays of `str` on our side: JSON carries text, and onnxruntime's strings are `str`.
`bytes` are accepted on the way out and read as UTF-8. BF16 has no row: numpy and onnxruntime cannot carry it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.protocol.signature import Datatype

Tensor = NDArray[Any]

NUMPY: Mapping[str, np.dtype[Any]] = MappingProxyType(
    {
        "BOOL": np.dtype(np.bool_),
        "UINT8": np.dtype(np.uint8),
        "UINT16": np.dtype(np.uint16),
        "UINT32": np.dtype(np.uint32),
        "UINT64": np.dtype(np.uint64),
        "INT8": np.dtype(np.int8),
        "INT16": np.dtype(np.int16),
        "INT32": np.dtype(np.int32),
        "INT64": np.dtype(np.int64),
        "FP16": np.dtype(np.float16),
        "FP32": np.dtype(np.float32),
        "FP64": np.dtype(np.float64),
        "BYTES": np.dtype(np.object_),
    }
)
"""The numpy type that carries each datatype."""

ONNX: Mapping[str, Datatype] = MappingProxyType(
    {
        "tensor(bool)": "BOOL",
        "tensor(uint8)": "UINT8",
        "tensor(uint16)": "UINT16",
        "tensor(uint32)": "UINT32",
        "tensor(uint64)": "UINT64",
        "tensor(int8)": "INT8",
        "tensor(int16)": "INT16",
        "tensor(int32)": "INT32",
        "tensor(int64)": "INT64",
        "tensor(float16)": "FP16",
        "tensor(float)": "FP32",
        "tensor(double)": "FP64",
        "tensor(string)": "BYTES",
    }
)
"""The datatype of each ONNX type that can be fed, by the name that onnxruntime gives it."""

ZIPMAPS = frozenset({"seq(map(string,tensor(float)))", "seq(map(int64,tensor(float)))"})
"""What classifiers give by default, a number by class for each item: told as one FP32 tensor, a column a class."""

_OF_NUMPY: Mapping[np.dtype[Any], str] = {dtype: datatype for datatype, dtype in NUMPY.items()}
_OF_CODE: Mapping[str, str] = {
    code: "BYTES" if code in "OUS" else _OF_NUMPY[np.dtype(code)]
    for code in np.typecodes["All"]
    if code in "OUS" or np.dtype(code) in _OF_NUMPY
}
"""The same by numpy's codes for types of this machine's byte order, which are quicker to look up than the types."""


def datatype_of(array: Tensor) -> str:
    """The datatype of an array; text of any numpy kind is BYTES. KeyError if the protocol has no such type."""
    dtype = array.dtype
    if dtype.isnative:
        return _OF_CODE[dtype.char]
    return "BYTES" if dtype.kind == "U" else _OF_NUMPY[dtype]
