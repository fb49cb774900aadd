"""Named numpy outputs as the JSON of a response, or as raw tensors behind it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import orjson
from msgspec import UNSET

from gateway.protocol.binary import SIZE, to_bytes
from gateway.protocol.datatypes import Tensor, datatype_of
from gateway.protocol.errors import OutputNotFinite
from gateway.protocol.messages import OutputMessage, Parameters, ResponseMessage

NOT_FINITE = "not_finite"
"""The parameter that counts the numbers of an output that are not finite, and is true for a response with some."""
MUCH = 256
"""From so many elements on a tensor is written by orjson, which reads arrays where they lie."""
_ENCODER = msgspec.json.Encoder()
_DATA, _QUOTE, _BEFORE_NULL = b'"data":[', ord('"'), b"[,"


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """A response: its JSON, and the raw tensors that follow it, in the order of its outputs."""

    json: bytes
    tensors: tuple[memoryview, ...] = ()


def encode_response(
    *,
    model: str,
    version: str | None = None,
    id: str | None = None,  # noqa: A002 - the protocol's name
    parameters: Parameters | None = None,
    outputs: Mapping[str, Tensor],
    requested: Sequence[str] = (),
    binary: Collection[str] = (),
    nulls: bool = False,
) -> Encoded:
    """The response, with the requested outputs in their order, or all of them; those in `binary` behind the JSON.

    Arrays may have any shape and any dtype that has a datatype. NaN and infinity in an output that would be sent raise
    OutputNotFinite, or with `nulls` are null in JSON and themselves in binary data, counted under NOT_FINITE.
    """
    named = requested or outputs
    if not binary:
        for name in named:
            if outputs[name].size >= MUCH:
                written = _at_once(model, version, id, parameters, named, outputs)
                if written is not None:
                    return Encoded(written)
                break
    tensors: list[memoryview] = []
    messages = tuple(
        binary_message(name, outputs[name], tensors, nulls=nulls)
        if name in binary
        else output_message(name, outputs[name], nulls=nulls)
        for name in named
    )
    if nulls and any(NOT_FINITE in (message.parameters or ()) for message in messages):
        parameters = {**(parameters or {}), NOT_FINITE: True}
    response = ResponseMessage(
        model_name=model,
        model_version=UNSET if version is None else version,
        id=UNSET if id is None else id,
        parameters=parameters or UNSET,
        outputs=messages,
    )
    return Encoded(_ENCODER.encode(response), tuple(tensors))


def _at_once(
    model: str,
    version: str | None,
    id: str | None,  # noqa: A002
    parameters: Parameters | None,
    named: Collection[str],
    outputs: Mapping[str, Tensor],
) -> bytes | None:
    """The response written in one pass, large arrays from where they lie; None where a number is not finite.

    Such a number is null in what orjson writes, so that nobody needs to look at the numbers before.
    """
    response: dict[str, Any] = {"model_name": model}
    if version is not None:
        response["model_version"] = version
    if id is not None:
        response["id"] = id
    if parameters:
        response["parameters"] = orjson.Fragment(_ENCODER.encode(parameters))
    parts: list[object] = []
    for name in named:
        array = outputs[name]
        if array.size < MUCH or (datatype := datatype_of(array)) == "BYTES":
            parts.append(orjson.Fragment(_ENCODER.encode(output_message(name, array, nulls=True))))
        else:
            parts.append({"name": name, "shape": array.shape, "datatype": datatype, "data": array.ravel()})
    response["outputs"] = parts
    written = orjson.dumps(response, option=orjson.OPT_SERIALIZE_NUMPY)
    if len(named) == 1:  # a null is the last n of all, as nothing follows the numbers that has one
        return None if written[written.rfind(b"n") - 1] in _BEFORE_NULL else written
    return None if _has_null(written, named, outputs) else written


def _has_null(written: bytes, named: Collection[str], outputs: Mapping[str, Tensor]) -> bool:
    """Whether a number of the outputs is null in a response.

    The first n behind the beginning of an output's data is that of a null, or it begins the name of the next output's
    name and stands behind a quote.
    """
    at = 0
    for name in named:
        at = written.index(_DATA, at) + len(_DATA)
        if outputs[name].dtype.kind == "f" and (found := written.find(b"n", at)) >= 0 and written[found - 1] != _QUOTE:
            return True
    return False


def encode_held(*, model: str, version: str, id: str, parameters: Parameters, error: str) -> bytes:  # noqa: A002
    """The body of a 202: no outputs, and the text that stock clients show."""
    message = ResponseMessage(model_name=model, model_version=version, id=id, parameters=parameters, error=error)
    return _ENCODER.encode(message)


def output_message(name: str, array: Tensor, *, nulls: bool = False) -> OutputMessage:
    """One output with its data flat and row-major."""
    datatype = datatype_of(array)
    if datatype == "BYTES":
        data: list[Any] = [_text(element) for element in array.ravel().tolist()]
    elif lost := _not_finite(name, array, nulls=nulls):
        written = array.ravel().astype(object)
        written[~np.isfinite(array.ravel())] = None
        data = written.tolist()
        return OutputMessage(name=name, shape=array.shape, datatype=datatype, parameters={NOT_FINITE: lost}, data=data)
    elif array.size >= MUCH:
        return OutputMessage(name=name, shape=array.shape, datatype=datatype, data=_json(array))
    else:
        data = array.ravel().tolist()
    return OutputMessage(name=name, shape=array.shape, datatype=datatype, data=data)


def _json(array: Tensor) -> msgspec.Raw:
    """The elements of a large tensor as JSON, each with as many digits as tell it from the others of its datatype."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return msgspec.Raw(orjson.dumps(flat, option=orjson.OPT_SERIALIZE_NUMPY))


def binary_message(name: str, array: Tensor, tensors: list[memoryview], *, nulls: bool = False) -> OutputMessage:
    """One output without its data, whose bytes are put behind those of the outputs before it."""
    lost = _not_finite(name, array, nulls=nulls)
    raw = to_bytes(array)
    tensors.append(raw)
    parameters: Parameters = {SIZE: len(raw), NOT_FINITE: lost} if lost else {SIZE: len(raw)}
    return OutputMessage(name=name, shape=array.shape, datatype=datatype_of(array), parameters=parameters)


def _not_finite(name: str, array: Tensor, *, nulls: bool) -> int:
    """How many numbers are not finite. Raises: OutputNotFinite, where there are some and none may be."""
    if array.dtype.kind != "f":
        return 0
    finite = np.isfinite(array)
    if np.logical_and.reduce(finite, axis=None):
        return 0
    if not nulls:
        raise OutputNotFinite(output=name)
    return int(array.size - np.count_nonzero(finite))


def _text(element: str | bytes) -> str:
    """The element as JSON can carry it; what is no UTF-8 shows as the replacement character."""
    return element.decode("utf-8", "replace") if isinstance(element, bytes) else element
