"""A request body as named, checked tensors of one model."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from gateway.protocol.batch import batched_inputs, count_items
from gateway.protocol.datatypes import NUMPY, Tensor
from gateway.protocol.elements import to_array
from gateway.protocol.errors import (
    BinaryNotServed,
    BodyTooLarge,
    DataMissing,
    DuplicateInput,
    DuplicateOutput,
    MissingInput,
    NegativeDimension,
    ShapeOverflow,
    TooManyElements,
    UnknownDatatype,
    UnknownInput,
    UnknownOutput,
    WrongDatatype,
    WrongDimension,
    WrongRank,
)
from gateway.protocol.messages import InputMessage, Parameters, RequestedOutput, RequestMessage, parse_request
from gateway.protocol.signature import ANY_SIZE, Signature, TensorSpec

REVIEW_STATUS = "review_status"
"""The output that no model has and every caller may ask for: the review status of each item."""

_COUNTABLE = 2**63
_DISPLAY_RANK_MAX = 8


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much one request may bring."""

    body_max_bytes: int = 64 * 1024 * 1024
    elements_max: int = 16 * 1024 * 1024


class InferenceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that fits its model: what is fed, what is only shown to a person, and what was asked for.

    `items` is the size of the batch axis, 1 without one. `outputs` is empty where the caller wants all of them.
    """

    id: str | None
    parameters: Parameters
    feeds: dict[str, Tensor]
    display: dict[str, Tensor]
    outputs: tuple[RequestedOutput, ...]
    items: int


class RequestDecoder:
    """Decodes the requests of one release; made once, when its plan is made."""

    def __init__(
        self,
        signature: Signature,
        *,
        display: frozenset[str] = frozenset(),
        batch_axis: int | None = 0,
        limits: Limits | None = None,
    ) -> None:
        self._inputs: Mapping[str, TensorSpec] = {spec.name: spec for spec in signature.inputs}
        self._outputs = {spec.name for spec in signature.outputs} | {REVIEW_STATUS}
        self._display = display - self._inputs.keys()
        self._axis = batch_axis
        self._batched = batched_inputs(signature.inputs, batch_axis)
        self._limits = limits or Limits()

    def decode(self, body: bytes) -> InferenceRequest:
        """The request in a JSON body; a ProtocolError says what is wrong with it."""
        if len(body) > self._limits.body_max_bytes:
            raise BodyTooLarge(found=len(body), limit=self._limits.body_max_bytes)
        return self.check(parse_request(body))

    def check(self, message: RequestMessage) -> InferenceRequest:
        """The request that a parsed message makes; a ProtocolError says what is wrong with it."""
        tensors = self._tensors(message.inputs)
        for name, spec in self._inputs.items():
            if name not in tensors:
                raise MissingInput(tensor=name, datatype=spec.datatype, shape=list(spec.shape))
        shown = {name: tensors.pop(name) for name in self._display if name in tensors}
        batched = {name: tensor for name, tensor in tensors.items() if name in self._batched}
        return InferenceRequest(
            id=message.id,
            parameters=message.parameters or {},
            feeds=tensors,
            display=shown,
            outputs=self._requested(message.outputs or []),
            items=count_items(batched | shown, self._axis),
        )

    def _tensors(self, inputs: list[InputMessage]) -> dict[str, Tensor]:
        """The checked tensors by name."""
        tensors: dict[str, Tensor] = {}
        for message in inputs:
            if message.name in tensors:
                raise DuplicateInput(tensor=message.name)
            tensors[message.name] = self._tensor(message)
        return tensors

    def _tensor(self, message: InputMessage) -> Tensor:
        """One tensor, of the declared datatype and shape."""
        spec = self._inputs.get(message.name)
        if spec is not None:
            _check_spec(message, spec)
        elif message.name in self._display:
            _check_display(message)
        else:
            raise UnknownInput(tensor=message.name, expected=_quoted(self._inputs.keys() | self._display))
        _check_size(message, self._limits.elements_max)
        return to_array(message.name, message.datatype, tuple(message.shape), _data(message))

    def _requested(self, outputs: list[RequestedOutput]) -> tuple[RequestedOutput, ...]:
        """The outputs asked for, in the caller's order."""
        seen: set[str] = set()
        for output in outputs:
            if output.name not in self._outputs:
                raise UnknownOutput(tensor=output.name, expected=_quoted(self._outputs - {REVIEW_STATUS}))
            if output.name in seen:
                raise DuplicateOutput(tensor=output.name)
            seen.add(output.name)
        return tuple(outputs)


def _check_spec(message: InputMessage, spec: TensorSpec) -> None:
    """Refuses another datatype, rank or size than the model declares."""
    if message.datatype != spec.datatype:
        raise WrongDatatype(tensor=spec.name, expected=spec.datatype, found=message.datatype)
    if len(message.shape) != len(spec.shape):
        expected = len(spec.shape)
        raise WrongRank(tensor=spec.name, expected=expected, shape=list(spec.shape), found=len(message.shape))
    for axis, (size, want) in enumerate(zip(message.shape, spec.shape, strict=True)):
        if size != want and want != ANY_SIZE:
            raise WrongDimension(tensor=spec.name, axis=axis, expected=want, found=size)


def _check_display(message: InputMessage) -> None:
    """Refuses a display input that cannot be a tensor; the model does not declare what it looks like."""
    if message.datatype not in NUMPY:
        raise UnknownDatatype(tensor=message.name, found=message.datatype, expected=", ".join(NUMPY))
    if len(message.shape) > _DISPLAY_RANK_MAX:
        raise WrongRank(
            tensor=message.name, expected=f"at most {_DISPLAY_RANK_MAX}", shape="any", found=len(message.shape)
        )


def _check_size(message: InputMessage, elements_max: int) -> None:
    """Refuses sizes that no array can have, before anything is made of them. A zero hides no huge neighbour."""
    elements = 1
    for axis, size in enumerate(message.shape):
        if size < 0:
            raise NegativeDimension(tensor=message.name, axis=axis, found=size)
        elements *= size or 1
    if elements >= _COUNTABLE:
        raise ShapeOverflow(tensor=message.name)
    if elements > elements_max:
        raise TooManyElements(tensor=message.name, found=elements, limit=elements_max)


def _data(message: InputMessage) -> list[Any]:
    """The data of the input, which must stand in the JSON."""
    if not isinstance(message.data, msgspec.UnsetType):
        return message.data
    if message.parameters and "binary_data_size" in message.parameters:
        raise BinaryNotServed(tensor=message.name)
    raise DataMissing(tensor=message.name)


def _quoted(names: Iterable[str]) -> str:
    """The names as a list in a sentence."""
    return ", ".join(f"'{name}'" for name in sorted(names)) or "none"
