"""Models as people have them, as the bytes of a file, with their cards: a recurrent one, and one without bounds."""

from functools import cache
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from tests.models import build, constant, node

_value = helper.make_tensor_value_info
TOKENS, WIDTH = 16, 4
_ABOUT = """
guideline = "What is it?"

[about]
owner = "The tests"
contact = "tests@example.org"
intended_use = "To see that what people have is served."
limitations = "It knows nothing."

[policy]
audit_rate = 0.0
audit_rate_under_pressure = 0.0

[labels]
"""
RECURRENT_CARD = (
    'batch_axis = "none"\n'
    + _ABOUT
    + """
kind = "number"

[[shown]]
input = "ids"
kind = "json"

[answer]
output = "total"
"""
)
BOUNDS_CARD = (
    _ABOUT
    + """
kind = "number"

[[shown]]
input = "x"
kind = "json"

[answer]
output = "score"
"""
)
ZIPMAP_CARD = (
    _ABOUT
    + """
kind = "choice"
choices = [{ value = "negative" }, { value = "neutral" }, { value = "positive" }]

[[shown]]
input = "text"
kind = "text"

[answer]
output = "output_label"
confidence = "output_probability"
classes = ["negative", "neutral", "positive"]
"""
)


def table() -> np.ndarray[Any, Any]:
    """What each token of `recurrent` means, [16, 4], whole in FP16."""
    return np.outer(np.arange(TOKENS) / TOKENS, [1, -1, 0.5, 2]).astype(np.float16)


@cache
def recurrent() -> bytes:
    """Token ids [n, s], a state [1, n, 4] that comes back as what it was and the tokens added, and a scalar.

    Its outputs have every shape: a text and a truth for each row [n], FP16 [n, s, 4] and [1, n, 4], a scalar FP64, a
    row for each token that is not 0 [k, 2], and [n, 4] where [n, 7] is declared.
    """
    half, whole, double = TensorProto.FLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE
    nodes = [
        node("Gather", "table ids", "hidden"),
        node("Cast", "hidden", "meant", to=whole),
        node("ReduceSum", "meant second", "added", keepdims=0),
        node("Cast", "state", "before", to=whole),
        node("Squeeze", "before first", "was"),
        node("Add", "added was", "now"),
        node("Unsqueeze", "now first", "after"),
        node("Cast", "after", "state_out", to=half),
        node("ReduceSum", "now second", "sums", keepdims=0),
        node("Sigmoid", "sums", "score"),
        node("Greater", "score threshold", "over"),
        node("Where", "over long short", "label"),
        node("Cast", "score", "exact", to=double),
        node("ReduceSum", "exact", "total", keepdims=0),
        node("NonZero", "ids", "places"),
        node("Transpose", "places", "hits"),
        node("Mul", "now zero", "none"),
        node("Sub", "now none", "same"),
        node("Shape", "same", "size"),
        node("Reshape", "same size", "untrue"),
    ]
    initializers = (
        constant("table", table()),
        constant("first", np.array([0], np.int64)),
        constant("second", np.array([1], np.int64)),
        constant("long", np.array("long", object)),
        constant("short", np.array("short", object)),
        constant("zero", np.float32(0)),
    )
    inputs = [
        _value("ids", TensorProto.INT64, ("n", "s")),
        _value("state", half, (1, "n", WIDTH)),
        _value("threshold", whole, ()),
    ]
    outputs = [
        _value("label", TensorProto.STRING, ("n",)),
        _value("over", TensorProto.BOOL, ("n",)),
        _value("hidden", half, ("n", "s", WIDTH)),
        _value("state_out", half, (1, "n", WIDTH)),
        _value("total", double, ()),
        _value("hits", TensorProto.INT64, ("k", 2)),
        _value("untrue", whole, ("n", 7)),
    ]
    return build(nodes, inputs, outputs, initializers=initializers).SerializeToString()


@cache
def bounds() -> bytes:
    """`score` of `x` [n], and its logarithm as `bound`, which is not finite for 0 and below."""
    kind = TensorProto.FLOAT
    nodes = [node("Sigmoid", "x", "score"), node("Log", "x", "bound")]
    outputs = [_value("score", kind, ("n",)), _value("bound", kind, ("n",))]
    return build(nodes, [_value("x", kind, ("n",))], outputs).SerializeToString()
