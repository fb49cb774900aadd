"""A request body as named, checked tensors of one model, whether their elements stand in the JSON or behind it."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from gateway.protocol.batch import batched_inputs, count_items
from gateway.protocol.binary import SIZE, Body, RawTensors, from_bytes
from gateway.protocol.binary_errors import BinaryAndData, BinaryWithoutLength
from gateway.protocol.bulk import BULK_BYTES, Numbers, parse_bulk
from gateway.protocol.datatypes import NUMPY, Tensor
from gateway.protocol.elements import to_array
from gateway.protocol.errors import (
    BodyTooLarge,
    DataMissing,
    DuplicateInput,
    DuplicateOutput,
    FieldMistyped,
    MissingInput,
    NegativeDimension,
    ParameterNotServed,
    ShapeOverflow,
    TooManyElements,
    TooManyItems,
    UnknownDatatype,
    UnknownInput,
    UnknownOutput,
    WrongDatatype,
    WrongDimension,
    WrongRank,
)
from gateway.protocol.messages import (
    JSON_TYPES,
    InputMessage,
    Parameters,
    RequestedOutput,
    RequestMessage,
    parse_request,
)
from gateway.protocol.signature import ANY_SIZE, Signature, TensorSpec

REVIEW_STATUS = "review_status"
"""The output that no model has and every caller may ask for: the review status of each item."""

_COUNTABLE = 2**63
_NOT_SERVED = frozenset({"shared_memory_region", "classification"})
_DISPLAY_RANK_MAX = 8


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much one request may bring."""

    body_max_bytes: int = 64 * 1024 * 1024
    elements_max: int = 16 * 1024 * 1024
    items_max: int = 16 * 1024 * 1024
    """Each item is decided and settled for itself, which takes its time, and others wait meanwhile."""


class RawSource(Protocol):
    """Where the raw bytes of tensors come from that have a `binary_data_size`."""

    def take(self, name: str, size: object) -> memoryview:
        """The next tensor's bytes. Raises: ProtocolError."""

    def end(self) -> None:
        """Refuse bytes that belong to no input. Raises: ProtocolError."""


class InferenceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that fits its model: what is fed, what is only shown to a person, and what was asked for.

    `items` is the size of the batch axis, 1 without one. `outputs` is empty where the caller wants all of them.
    """

    id: str | None
    parameters: Parameters
    feeds: dict[str, Tensor]
    display: dict[str, Tensor]
    outputs: tuple[RequestedOutput, ...]
    binary: tuple[str, ...]
    """The outputs to be sent as binary data."""
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

    @property
    def limits(self) -> Limits:
        """How much a request may bring."""
        return self._limits

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of all outputs that a caller may ask for."""
        return tuple(sorted(self._outputs))

    def decode(self, body: Body, json_bytes: int | None = None) -> InferenceRequest:
        """The request in a body whose JSON ends after `json_bytes`; a ProtocolError says what is wrong with it."""
        if len(body) > self._limits.body_max_bytes:
            raise BodyTooLarge(found=len(body), limit=self._limits.body_max_bytes)
        if json_bytes is None:
            bulk = parse_bulk(bytes(body), self._limits.elements_max) if len(body) >= BULK_BYTES else None
            return self.check(parse_request(body)) if bulk is None else self.check(bulk.message, bulk.numbers)
        raw = RawTensors(body, json_bytes)
        return self.check(parse_request(raw.json), raw)

    def check(self, message: RequestMessage, raw: RawSource | Numbers | None = None) -> InferenceRequest:
        """The request that a parsed message makes; a ProtocolError says what is wrong with it."""
        tensors = self._tensors(message.inputs, raw)
        for name, spec in self._inputs.items():
            if name not in tensors:
                raise MissingInput(tensor=name, datatype=spec.datatype, shape=list(spec.shape))
        shown = {name: tensors.pop(name) for name in self._display if name in tensors}
        batched = {name: tensor for name, tensor in tensors.items() if name in self._batched}
        outputs = self._requested(message.outputs or [])
        return InferenceRequest(
            id=message.id,
            parameters=message.parameters or {},
            feeds=tensors,
            display=shown,
            outputs=outputs,
            binary=self._binary(message.parameters, outputs),
            items=count_items(batched | shown, self._axis),
        )

    def _tensors(self, inputs: list[InputMessage], raw: RawSource | Numbers | None) -> dict[str, Tensor]:
        """The checked tensors by name."""
        tensors: dict[str, Tensor] = {}
        for message in inputs:
            if message.name in tensors:
                raise DuplicateInput(tensor=message.name)
            tensors[message.name] = self._tensor(message, raw)
        if raw is not None and not isinstance(raw, Numbers):
            raw.end()
        return tensors

    def _tensor(self, message: InputMessage, raw: RawSource | Numbers | None) -> Tensor:
        """One tensor, of the declared datatype and shape."""
        spec = self._inputs.get(message.name)
        if spec is not None:
            _check_spec(message, spec)
        elif message.name in self._display:
            _check_display(message)
        else:
            raise UnknownInput(tensor=message.name, expected=_quoted(self._inputs.keys() | self._display))
        _check_size(message, self._limits.elements_max)
        self._check_items(message)
        return _elements(message, raw)

    def _check_items(self, message: InputMessage) -> None:
        """Refuses more items than are taken at once, before anything is made of them."""
        axis, limit = self._axis, self._limits.items_max
        if axis is None or len(message.shape) <= axis or message.shape[axis] <= limit:
            return
        if message.name in self._batched or message.name in self._display:
            raise TooManyItems(tensor=message.name, found=message.shape[axis], limit=limit)

    def _requested(self, outputs: list[RequestedOutput]) -> tuple[RequestedOutput, ...]:
        """The outputs asked for, in the caller's order."""
        seen: set[str] = set()
        for output in outputs:
            if output.name not in self._outputs:
                raise UnknownOutput(tensor=output.name, expected=_quoted(self._outputs - {REVIEW_STATUS}))
            if output.name in seen:
                raise DuplicateOutput(tensor=output.name)
            _check_served(output.parameters, f"output '{output.name}'")
            seen.add(output.name)
        return tuple(outputs)

    def _binary(self, parameters: Parameters | None, outputs: tuple[RequestedOutput, ...]) -> tuple[str, ...]:
        """The outputs to be sent as binary data: what is said of an output counts more than what is said of all."""
        default = _flag(parameters, "binary_data_output", "the request", default=False)
        if not outputs:
            return self.outputs if default else ()
        named = [(output, f"output '{output.name}'") for output in outputs]
        return tuple(
            output.name for output, place in named if _flag(output.parameters, "binary_data", place, default=default)
        )


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


def _elements(message: InputMessage, raw: RawSource | Numbers | None) -> Tensor:
    """The tensor, of the `data` in the JSON or of its bytes behind it, where it is not ready."""
    name, shape = message.name, tuple(message.shape)
    if isinstance(raw, Numbers):
        return raw.shaped(name, shape)
    size = message.parameters.get(SIZE) if message.parameters else None
    if not isinstance(message.data, msgspec.UnsetType):
        if size is not None:
            raise BinaryAndData(tensor=name)
        return to_array(name, message.datatype, shape, message.data)
    _check_served(message.parameters, f"input '{name}'")
    if size is None:
        raise DataMissing(tensor=name)
    if raw is None:
        raise BinaryWithoutLength(tensor=name)
    return from_bytes(name, message.datatype, shape, raw.take(name, size))


def _check_served(parameters: Parameters | None, place: str) -> None:
    """Refuses what would otherwise be overheard, and make an answer mean something else than its caller thinks."""
    for parameter in _NOT_SERVED.intersection(parameters or ()):
        raise ParameterNotServed(parameter=parameter, place=place)


def _flag(parameters: Parameters | None, name: str, place: str, *, default: bool) -> bool:
    """The parameter, which must be true or false where it is given."""
    value = parameters.get(name, default) if parameters else default
    if not isinstance(value, bool):
        found = JSON_TYPES[type(value).__name__]
        raise FieldMistyped(place=f"'{name}' of {place}", expected="boolean", found=found)
    return value


def _quoted(names: Iterable[str]) -> str:
    """The names as a list in a sentence."""
    return ", ".join(f"'{name}'" for name in sorted(names)) or "none"
