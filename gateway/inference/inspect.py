"""Reads an ONNX file without running it. The only importer of `onnx`, and so only for the admission process."""

from collections.abc import Iterator
from math import prod
from typing import Any

import msgspec
import onnx
from google.protobuf.message import DecodeError

from gateway.inference.extent import NODES_MAX, RANK_MAX, Call, written_out
from gateway.inference.labels import class_labels
from gateway.inference.refusals import (
    ExternalData,
    NoInputs,
    NoOutputs,
    NotOnnx,
    NotRunnable,
    OpsetTooNew,
    OversizedInput,
    ReservedName,
    SequenceOutput,
    StructuredInput,
    TooManyNodes,
    UncarriedOutput,
    UndeclaredShape,
    UnfeedableInput,
    UnknownDomain,
    UnknownOperator,
    ZipmapOutput,
)
from gateway.inference.report import Opset
from gateway.protocol.decode import REVIEW_STATUS, Limits

_STANDARD_DOMAINS = ("ai.onnx", "ai.onnx.ml")
_RUNTIME_DOMAINS = ("com.microsoft",)
"""Operators that onnxruntime brings itself; it knows best which of them exist."""

_FEEDABLE = frozenset(
    onnx.TensorProto.DataType.Value(name)
    for name in (
        *("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"),
        *("FLOAT16", "FLOAT", "DOUBLE", "STRING"),
    )
)
_LABEL_TYPES = frozenset({onnx.TensorProto.STRING, onnx.TensorProto.INT32, onnx.TensorProto.INT64})
_LABELS_MAX = 100_000
_ELEMENTS_MAX = Limits().elements_max


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says about itself."""

    opsets: tuple[Opset, ...]
    ir_version: int
    producer: str
    class_labels: tuple[str, ...]


def inspect(file: bytes) -> Inspection:
    """What an ONNX file says about itself; an AdmissionRefused says why it cannot be served."""
    model = _parse(file)
    _check_embedded(model)
    opsets = tuple(Opset(domain=_domain(opset.domain), version=opset.version) for opset in model.opset_import)
    _check_opsets(opsets)
    _check_operators(model, {opset.domain: opset.version for opset in opsets})
    _check_extent(model)
    _check_inputs(model.graph)
    _check_outputs(model.graph)
    return Inspection(
        opsets=opsets,
        ir_version=model.ir_version,
        producer=f"{model.producer_name} {model.producer_version}".strip(),
        class_labels=class_labels(model.graph, _vectors(model.graph)),
    )


def _parse(file: bytes) -> onnx.ModelProto:
    """The model in the file."""
    try:
        model: onnx.ModelProto = onnx.ModelProto.FromString(file)
    except DecodeError as error:
        raise NotOnnx from error
    if not model.ir_version or not model.HasField("graph") or not model.opset_import:
        raise NotOnnx
    return model


def _messages(whole: Any) -> Iterator[Any]:
    """Every message inside a model or a part of it: subgraphs, functions, sparse and training parts too."""
    waiting: list[Any] = [whole]
    while waiting:
        message = waiting.pop()
        yield message
        for field, value in message.ListFields():
            if field.message_type is not None:
                waiting.extend([value] if hasattr(value, "ListFields") else value)


def _check_embedded(model: onnx.ModelProto) -> None:
    """Refuses any weight outside the file, wherever it hides and whatever it points to."""
    for message in _messages(model):
        if not isinstance(message, onnx.TensorProto):
            continue
        if message.data_location == onnx.TensorProto.EXTERNAL or message.external_data:
            raise ExternalData(tensor=message.name or "a constant")


def _check_opsets(opsets: tuple[Opset, ...]) -> None:
    """Refuses an operator set that is not published yet."""
    newest = {"ai.onnx": onnx.defs.onnx_opset_version(), "ai.onnx.ml": onnx.defs.onnx_ml_opset_version()}
    for opset in opsets:
        if opset.version > newest.get(opset.domain, opset.version):
            raise OpsetTooNew(opset=opset.version, domain=opset.domain, supported=newest[opset.domain])


def _check_operators(model: onnx.ModelProto, versions: dict[str, int]) -> None:
    """Refuses operators that nobody here implements; functions that the file brings itself are known."""
    own = {(_domain(function.domain), function.name) for function in model.functions}
    for message in _messages(model):
        if not isinstance(message, onnx.NodeProto):
            continue
        domain = _domain(message.domain)
        if domain in _RUNTIME_DOMAINS or (domain, message.op_type) in own:
            continue
        if domain not in _STANDARD_DOMAINS:
            raise UnknownDomain(operator=message.op_type, domain=domain)
        if not onnx.defs.has(message.op_type, "" if domain == "ai.onnx" else domain):
            raise UnknownOperator(operator=message.op_type, opset=versions.get(domain, "?"))


def _check_extent(model: onnx.ModelProto) -> None:
    """Refuses more nodes than a runtime should be asked to look at, also where they are functions within functions."""
    functions: dict[Call, list[Call]] = {}
    for each in model.functions:
        functions.setdefault((_domain(each.domain), each.name), []).extend(_calls(each))
    nodes = written_out(_calls(model.graph), functions)
    if nodes is None:
        raise NotRunnable
    if nodes > NODES_MAX:
        raise TooManyNodes(limit=NODES_MAX)


def _calls(part: Any) -> list[Call]:
    """What each node in a graph or function does, those in its subgraphs too."""
    nodes = (message for message in _messages(part) if isinstance(message, onnx.NodeProto))
    return [(_domain(node.domain), node.op_type) for node in nodes]


def _check_inputs(graph: onnx.GraphProto) -> None:
    """Refuses inputs that a request could not bring."""
    fixed = {initializer.name for initializer in graph.initializer}
    inputs = [value for value in graph.input if value.name not in fixed]
    if not inputs:
        raise NoInputs
    for value in inputs:
        kind = value.type.WhichOneof("value")
        if kind != "tensor_type":
            raise StructuredInput(tensor=value.name, type=_kind_name(kind))
        if value.type.tensor_type.elem_type not in _FEEDABLE:
            raise UnfeedableInput(tensor=value.name, type=_element_name(value))
        if not value.type.tensor_type.HasField("shape"):
            raise UndeclaredShape(tensor=value.name)
        _check_sizes(value)
        _check_name(value.name)


def _check_sizes(value: onnx.ValueInfoProto) -> None:
    """Refuses a shape that no request can bring."""
    dimensions = value.type.tensor_type.shape.dim
    elements = prod(max(1, dimension.dim_value) for dimension in dimensions[: RANK_MAX + 1])
    if len(dimensions) > RANK_MAX or elements > _ELEMENTS_MAX:
        raise OversizedInput(tensor=value.name, dimensions=RANK_MAX, elements=_ELEMENTS_MAX)


def _check_outputs(graph: onnx.GraphProto) -> None:
    """Refuses outputs that no response could carry. An output without a declared type is left to the runtime."""
    if not graph.output:
        raise NoOutputs
    for value in graph.output:
        _check_name(value.name)
        kind = value.type.WhichOneof("value")
        if kind == "sequence_type":
            if value.type.sequence_type.elem_type.WhichOneof("value") != "map_type":
                raise SequenceOutput(tensor=value.name)
            _check_zipmap(value)
            continue
        if kind == "map_type":
            raise ZipmapOutput(tensor=value.name)
        if kind not in (None, "tensor_type"):
            raise UncarriedOutput(tensor=value.name, type=_kind_name(kind))
        if kind and value.type.tensor_type.elem_type not in _FEEDABLE:
            raise UncarriedOutput(tensor=value.name, type=_element_name(value))


def _check_zipmap(value: onnx.ValueInfoProto) -> None:
    """Refuses a sequence of maps that does not become a tensor: classes are text or whole numbers, numbers FP32."""
    found = value.type.sequence_type.elem_type.map_type
    keys = (onnx.TensorProto.STRING, onnx.TensorProto.INT64)
    if found.key_type not in keys or found.value_type.tensor_type.elem_type != onnx.TensorProto.FLOAT:
        raise ZipmapOutput(tensor=value.name)


def _check_name(name: str) -> None:
    """Refuses the one name that answers use themselves."""
    if name == REVIEW_STATUS:
        raise ReservedName(tensor=name)


def _domain(domain: str) -> str:
    """The domain by its full name; ONNX abbreviates its own to nothing."""
    return domain or "ai.onnx"


def _kind_name(kind: str | None) -> str:
    """`sparse_tensor_type` as `sparse tensor`."""
    return (kind or "value of unknown type").removesuffix("_type").replace("_", " ")


def _element_name(value: onnx.ValueInfoProto) -> str:
    """The element type as people write it, such as bfloat16."""
    element = value.type.tensor_type.elem_type
    known = element in onnx.TensorProto.DataType.values()
    return str(onnx.TensorProto.DataType.Name(element)).lower() if known else f"number {element}"


def _vectors(graph: onnx.GraphProto) -> dict[str, tuple[str, ...]]:
    """The short constant vectors of text or whole numbers, as text."""
    vectors = {}
    for tensor in graph.initializer:
        if tensor.data_type in _LABEL_TYPES and len(tensor.dims) == 1 and 0 <= tensor.dims[0] <= _LABELS_MAX:
            vectors[tensor.name] = tuple(_labels(tensor))
    return vectors


def _labels(tensor: onnx.TensorProto) -> list[str]:
    """The elements of a constant as text; none where it does not hold what it says, which the runtime then refuses."""
    if tensor.data_type == onnx.TensorProto.STRING:
        return [text.decode("utf-8", "replace") for text in tensor.string_data]
    try:
        return [str(number) for number in onnx.numpy_helper.to_array(tensor).tolist()]
    except ValueError:
        return []
