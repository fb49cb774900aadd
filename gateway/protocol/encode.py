"""Named numpy outputs as the JSON of a response, or as raw tensors behind it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec import UNSET

from gateway.protocol.binary import SIZE, to_bytes
from gateway.protocol.datatypes import Tensor, datatype_of
from gateway.protocol.errors import OutputNotFinite
from gateway.protocol.messages import OutputMessage, Parameters, ResponseMessage

_ENCODER = msgspec.json.Encoder()


class Encoded(NamedTuple):
    """A response: its JSON, and the raw tensors that follow it, in the order of its outputs."""

    json: bytes
    tensors: tuple[memoryview, ...]


def encode_response(
    *,
    model: str,
    version: str | None = None,
    id: str | None = None,  # noqa: A002 - the protocol's name
    parameters: Parameters | None = None,
    outputs: Mapping[str, Tensor],
    requested: Sequence[str] = (),
    binary: Collection[str] = (),
) -> Encoded:
    """The response, with the requested outputs in their order, or all of them; those in `binary` behind the JSON.

    Arrays may have any shape and any dtype that has a datatype. Raises OutputNotFinite for NaN or infinity in an output
    that would be sent.
    """
    tensors: list[memoryview] = []
    message = ResponseMessage(
        model_name=model,
        model_version=UNSET if version is None else version,
        id=UNSET if id is None else id,
        parameters=parameters or UNSET,
        outputs=tuple(
            binary_message(name, outputs[name], tensors) if name in binary else output_message(name, outputs[name])
            for name in requested or outputs
        ),
    )
    return Encoded(_ENCODER.encode(message), tuple(tensors))


def encode_held(*, model: str, version: str, id: str, parameters: Parameters, error: str) -> bytes:  # noqa: A002
    """The body of a 202: no outputs, and the text that stock clients show."""
    message = ResponseMessage(model_name=model, model_version=version, id=id, parameters=parameters, error=error)
    return _ENCODER.encode(message)


def output_message(name: str, array: Tensor) -> OutputMessage:
    """One output with its data flat and row-major."""
    datatype = datatype_of(array)
    if datatype == "BYTES":
        data: list[Any] = [_text(element) for element in array.ravel().tolist()]
    else:
        _check_finite(name, array)
        data = array.ravel().tolist()
    return OutputMessage(name=name, shape=array.shape, datatype=datatype, data=data)


def binary_message(name: str, array: Tensor, tensors: list[memoryview]) -> OutputMessage:
    """One output without its data, whose bytes are put behind those of the outputs before it."""
    _check_finite(name, array)
    raw = to_bytes(array)
    tensors.append(raw)
    return OutputMessage(name=name, shape=array.shape, datatype=datatype_of(array), parameters={SIZE: len(raw)})


def _check_finite(name: str, array: Tensor) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise OutputNotFinite(output=name)


def _text(element: str | bytes) -> str:
    """The element as JSON can carry it; what is no UTF-8 shows as the replacement character."""
    return element.decode("utf-8", "replace") if isinstance(element, bytes) else element
