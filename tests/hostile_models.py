"""Model files that mean harm, made by code: what they ask for is out of all proportion to their size."""

import io
import zipfile
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.models import IR_VERSION, OPSET, build, constant, identity, node

FLOAT = TensorProto.FLOAT
_value = helper.make_tensor_value_info


def one_node(*nodes: onnx.NodeProto, constants: Sequence[onnx.TensorProto] = ()) -> bytes:
    """A model from `x` [n] to `y` [n], FP32."""
    inputs, outputs = [_value("x", FLOAT, ("n",))], [_value("y", FLOAT, ("n",))]
    return build(list(nodes), inputs, outputs, initializers=tuple(constants)).SerializeToString()


def cycle() -> bytes:
    """Two nodes that each wait for the other."""
    return one_node(node("Add", "x b", "a"), node("Identity", "a", "b"), node("Identity", "a", "y"))


def two_makers() -> bytes:
    """A tensor that two nodes make."""
    return one_node(node("Identity", "x", "a"), node("Neg", "x", "a"), node("Identity", "a", "y"))


def terabytes(elements: int = 10**12) -> bytes:
    """A constant of so many zeros, written as its shape, as an optimiser would fold it."""
    nodes = [node("ConstantOfShape", "size", "huge"), node("ReduceSum", "huge", "sum"), node("Add", "x sum", "y")]
    return one_node(*nodes, constants=[constant("size", np.array([elements], np.int64))])


def lying(*sizes: int, data: int = 16, kind: int = FLOAT) -> bytes:
    """Weights that say they have these sizes and bring so many bytes."""
    weights = TensorProto(name="w", data_type=kind, dims=sizes, raw_data=bytes(data))
    return one_node(node("ReduceSum", "w", "sum"), node("Add", "x sum", "y"), constants=[weights])


def lying_labels() -> bytes:
    """Fifty whole numbers, as labels would be, in the bytes of two."""
    labels = TensorProto(name="labels", data_type=TensorProto.INT64, dims=[50], raw_data=bytes(16))
    return one_node(node("ReduceSum", "labels", "sum"), node("Cast", "sum", "z", to=FLOAT), node("Add", "x z", "y"),
                    constants=[labels])  # fmt: skip


def strange_texts() -> bytes:
    """Constant texts that are no text, endless or empty."""
    texts = helper.make_tensor("texts", TensorProto.STRING, [3], [b"\xff\xfe", b"a" * 1_000_000, b"\0"])
    return one_node(node("Identity", "x", "y"), node("Identity", "texts", "more"), constants=[texts])


def laughs(levels: int = 40) -> bytes:
    """Functions that each call the one before them twice: a trillion nodes in two kilobytes."""
    made = [_function(0, [node("Neg", "a", "b")])]
    for level in range(1, levels):
        before = f"f{level - 1}"
        made.append(_function(level, [_call(before, "a", "m"), _call(before, "m", "b")]))
    return _calling(f"f{levels - 1}", made)


def endless_function() -> bytes:
    """A function that calls itself."""
    return _calling("f0", [_function(0, [_call("f0", "a", "b")])])


def crowded_function(nodes: int = 1_000, calls: int = 101) -> bytes:
    """A function of so many nodes, called so many times."""
    names = ["a", *(f"m{number}" for number in range(nodes - 1)), "b"]
    body = [node("Neg", before, after) for before, after in pairwise(names)]
    steps = ["x", *(f"s{number}" for number in range(calls - 1)), "y"]
    callers = [_call("f0", before, after) for before, after in pairwise(steps)]
    return _with_functions(callers, [_function(0, body)])


def nested(levels: int = 100_000) -> bytes:
    """A graph within a node within a graph, and so on: deeper than any reader may follow."""
    inside, parts = 0, []
    for _ in range(levels):
        for number in (6, 5, 1):  # AttributeProto.g, NodeProto.attribute, GraphProto.node
            head = _head(number, inside)
            parts.append(head)
            inside += len(head)
    return _MODEL + _head(7, inside) + b"".join(reversed(parts))


def said_to_be_long(size: int = 2**31 + 5) -> bytes:
    """A graph that says it is longer than two gigabytes, and is not."""
    return _MODEL + _head(7, size) + bytes(100)


def with_input(*sizes: int) -> bytes:
    """A model whose input declares these sizes."""
    model = onnx.load_from_string(identity())
    shape = model.graph.input[0].type.tensor_type.shape
    shape.ClearField("dim")
    for size in sizes:
        shape.dim.add().dim_value = size
    return model.SerializeToString()


def archive() -> bytes:
    """A zip file that holds a model."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("model.onnx", identity())
    return written.getvalue()


_MODEL = b"\x08\x0a\x42\x02\x10\x15"
"""What every model begins with: its IR version, and an operator set."""


def _head(number: int, size: int) -> bytes:
    """Tag and length of a field of bytes."""
    return _varint(number << 3 | 2) + _varint(size)


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def _call(name: str, before: str, after: str) -> onnx.NodeProto:
    return helper.make_node(name, [before], [after], domain="own")


def _function(number: int, nodes: list[onnx.NodeProto]) -> onnx.FunctionProto:
    return helper.make_function("own", f"f{number}", ["a"], ["b"], nodes, _opsets())


def _calling(name: str, functions: list[onnx.FunctionProto]) -> bytes:
    return _with_functions([_call(name, "x", "y")], functions)


def _with_functions(nodes: list[onnx.NodeProto], functions: list[onnx.FunctionProto]) -> bytes:
    graph = helper.make_graph(nodes, "graph", [_value("x", FLOAT, ("n",))], [_value("y", FLOAT, ("n",))])
    model = helper.make_model(graph, opset_imports=_opsets(), functions=functions, ir_version=IR_VERSION)
    return bytes(model.SerializeToString())


def _opsets() -> list[onnx.OperatorSetIdProto]:
    return [helper.make_opsetid("", OPSET), helper.make_opsetid("own", 1)]
