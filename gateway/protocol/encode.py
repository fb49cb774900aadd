"""Named numpy outputs as the JSON of a response."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET

from gateway.protocol.datatypes import Tensor, datatype_of
from gateway.protocol.errors import OutputNotFinite
from gateway.protocol.messages import OutputMessage, Parameters, ResponseMessage

_ENCODER = msgspec.json.Encoder()


def encode_response(
    *,
    model: str,
    version: str | None = None,
    id: str | None = None,  # noqa: A002 - the protocol's name
    parameters: Parameters | None = None,
    outputs: Mapping[str, Tensor],
    requested: Sequence[str] = (),
) -> bytes:
    """The response body, with the requested outputs in their order, or all of them.

    Arrays may have any shape and any dtype that has a datatype. Raises OutputNotFinite for NaN or infinity in an output
    that would be sent.
    """
    message = ResponseMessage(
        model_name=model,
        model_version=UNSET if version is None else version,
        id=UNSET if id is None else id,
        parameters=parameters or UNSET,
        outputs=tuple(output_message(name, outputs[name]) for name in requested or outputs),
    )
    return _ENCODER.encode(message)


def encode_held(*, model: str, version: str, id: str, parameters: Parameters, error: str) -> bytes:  # noqa: A002
    """The body of a 202: no outputs, and the text that stock clients show."""
    message = ResponseMessage(model_name=model, model_version=version, id=id, parameters=parameters, error=error)
    return _ENCODER.encode(message)


def output_message(name: str, array: Tensor) -> OutputMessage:
    """One output with its data flat and row-major."""
    datatype = datatype_of(array)
    if datatype == "BYTES":
        data: list[Any] = [_text(element) for element in array.ravel().tolist()]
    elif array.dtype.kind == "f" and not np.isfinite(array).all():
        raise OutputNotFinite(output=name)
    else:
        data = array.ravel().tolist()
    return OutputMessage(name=name, shape=array.shape, datatype=datatype, data=data)


def _text(element: str | bytes) -> str:
    """The element as JSON can carry it; what is no UTF-8 shows as the replacement character."""
    return element.decode("utf-8", "replace") if isinstance(element, bytes) else element
