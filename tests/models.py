"""ONNX models made by code, one function each, as the bytes of a file; made once a test session."""

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

OPSET = 21
IR_VERSION = 10

FEEDABLE = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}
"""The ONNX element type of each datatype."""

REVIEWS = (
    "a lovely clear day",
    "really good and kind",
    "awful dull thing",
    "bad broken mess",
    "it is a thing",
    "so so",
)
SENTIMENTS = ("positive", "positive", "negative", "negative", "neutral", "neutral")

_value = helper.make_tensor_value_info


def build(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    *,
    initializers: tuple[onnx.TensorProto, ...] = (),
    domains: tuple[str, ...] = (),
) -> onnx.ModelProto:
    """A model of these parts."""
    graph = helper.make_graph(nodes, "graph", inputs, outputs, list(initializers))
    opsets = [helper.make_opsetid("", OPSET), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    """A node with blank-separated inputs and outputs."""
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def constant(name: str, array: Any) -> onnx.TensorProto:
    """A named initializer."""
    return onnx.numpy_helper.from_array(np.asarray(array), name)


@cache
def identity(datatype: str = "FP32", shape: tuple[int | str, ...] = ("n",)) -> bytes:
    """`y` = `x`."""
    kind = FEEDABLE[datatype]
    return build(
        [node("Identity", "x", "y")], [_value("x", kind, shape)], [_value("y", kind, shape)]
    ).SerializeToString()


@cache
def every_datatype(but: str = "", columns: int | str = "k") -> bytes:
    """Each datatype but one [n, k] as it came, and the first `FP32` of each item as `score` [n]."""
    kinds = [(name, kind) for name, kind in FEEDABLE.items() if name != but]
    nodes = [node("Identity", f"in_{name}", f"out_{name}") for name, _ in kinds]
    nodes += [node("Gather", "in_FP32 first", "score", axis=1)]
    inputs = [_value(f"in_{name}", kind, ("n", columns)) for name, kind in kinds]
    outputs = [_value(f"out_{name}", kind, ("n", columns)) for name, kind in kinds]
    outputs += [_value("score", TensorProto.FLOAT, ("n",))]
    first = constant("first", np.array(0, np.int64))
    return build(nodes, inputs, outputs, initializers=(first,)).SerializeToString()


@cache
def add_sub(numbers: int = 16) -> bytes:
    """Two inputs of 16 whole numbers, their sum and difference: the `simple` model of Triton's examples."""
    tensors = {
        name: _value(name, TensorProto.INT32, ("n", numbers)) for name in ("INPUT0", "INPUT1", "OUTPUT0", "OUTPUT1")
    }
    nodes = [node("Add", "INPUT0 INPUT1", "OUTPUT0"), node("Sub", "INPUT0 INPUT1", "OUTPUT1")]
    values = list(tensors.values())
    return build(nodes, values[:2], values[2:]).SerializeToString()


@cache
def text_classifier() -> bytes:
    """TF-IDF and logistic regression over `text`, with `label` and `probabilities` of three classes."""
    return _sklearn_text({"zipmap": False})


@cache
def zipmap_classifier() -> bytes:
    """The text classifier as skl2onnx exports it by default: probabilities as a list of dictionaries."""
    return _sklearn_text({})


@cache
def numbered_zipmap() -> bytes:
    """A forest over `X` of four features whose probabilities are dictionaries by whole number."""
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier

    features, labels = _flowers()
    forest = RandomForestClassifier(n_estimators=5, random_state=0).fit(features, labels * 7 + 2)
    return bytes(to_onnx(forest, features[:1]).SerializeToString())


@cache
def double_zipmap() -> bytes:
    """A zipmap that is said to hold FP64."""
    model = onnx.load_from_string(zipmap_classifier())
    model.graph.output[1].type.sequence_type.elem_type.map_type.value_type.tensor_type.elem_type = TensorProto.DOUBLE
    return model.SerializeToString()


@cache
def margins_classifier() -> bytes:
    """A linear support vector machine, whose `probabilities` are raw margins."""
    from skl2onnx import to_onnx
    from sklearn.svm import LinearSVC

    features, labels = _flowers()
    return bytes(to_onnx(LinearSVC().fit(features, labels), features[:1]).SerializeToString())


@cache
def tree_classifier() -> bytes:
    """A random forest over `X` of four features with whole-number labels."""
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(n_estimators=5, random_state=0).fit(*_flowers())
    return bytes(to_onnx(forest, _flowers()[0][:1], options={"zipmap": False}).SerializeToString())


@cache
def network_classifier() -> bytes:
    """A scaler and a small neural network, whose class order stands in an initializer."""
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, labels = _flowers()
    network = MLPClassifier((8,), solver="lbfgs", max_iter=2000, random_state=0)
    pipeline = make_pipeline(StandardScaler(), network).fit(features, np.array(["a", "b", "c"])[labels])
    return bytes(to_onnx(pipeline, features[:1], options={"zipmap": False}).SerializeToString())


@cache
def multi_output_classifier() -> bytes:
    """Two labels at once, exported as a sequence of tensors."""
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression
    from sklearn.multioutput import MultiOutputClassifier

    features, labels = _flowers()
    both = np.stack([labels, labels == 1], axis=1)
    model = MultiOutputClassifier(LogisticRegression(max_iter=500)).fit(features, both)
    return bytes(to_onnx(model, features[:1], options={"zipmap": False}).SerializeToString())


@cache
def tabular() -> bytes:
    """Several named inputs of [n, 1]: `income` FP32, `years` INT64, `purpose` BYTES; `score` FP32 [n, 1] in [0, 1]."""
    inputs = [
        _value("income", TensorProto.FLOAT, ("n", 1)),
        _value("years", TensorProto.INT64, ("n", 1)),
        _value("purpose", TensorProto.STRING, ("n", 1)),
    ]
    encoder = helper.make_node(
        "LabelEncoder",
        ["purpose"],
        ["code"],
        domain="ai.onnx.ml",
        keys_strings=["home", "car"],
        values_floats=[1.0, -1.0],
        default_float=0.0,
    )
    nodes = [
        encoder,
        node("Cast", "years", "tenure", to=TensorProto.FLOAT),
        node("Sum", "income tenure code", "total"),
        node("Sigmoid", "total", "score"),
    ]
    model = build(nodes, inputs, [_value("score", TensorProto.FLOAT, ("n", 1))])
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 4))
    return model.SerializeToString()


@cache
def softmax(features: int = 4, classes: int = 3) -> bytes:
    """`probabilities` [n, classes] of `x` [n, features] by fixed weights."""
    weights = np.linspace(-1, 1, features * classes, dtype=np.float32).reshape(features, classes)
    nodes = [node("MatMul", "x w", "logits"), node("Softmax", "logits", "probabilities", axis=1)]
    inputs = [_value("x", TensorProto.FLOAT, ("n", features))]
    outputs = [_value("probabilities", TensorProto.FLOAT, ("n", classes))]
    return build(nodes, inputs, outputs, initializers=(constant("w", weights),)).SerializeToString()


@cache
def tempered() -> bytes:
    """`probabilities` of `x` [n, 4] as `softmax` has them, by a `temperature`: one number for a whole request."""
    weights = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
    nodes = [node("MatMul", "x w", "sums"), node("Div", "sums temperature", "logits")]
    nodes += [node("Softmax", "logits", "probabilities", axis=1)]
    inputs = [_value("x", TensorProto.FLOAT, ("n", 4)), _value("temperature", TensorProto.FLOAT, ())]
    outputs = [_value("probabilities", TensorProto.FLOAT, ("n", 3))]
    return build(nodes, inputs, outputs, initializers=(constant("w", weights),)).SerializeToString()


@cache
def contrary(features: int = 4, classes: int = 3) -> bytes:
    """`probabilities` of `x` as `softmax` has them, with the classes in the opposite order."""
    weights = np.linspace(1, -1, features * classes, dtype=np.float32).reshape(features, classes)
    nodes = [node("MatMul", "x w", "logits"), node("Softmax", "logits", "probabilities", axis=1)]
    inputs = [_value("x", TensorProto.FLOAT, ("n", features))]
    outputs = [_value("probabilities", TensorProto.FLOAT, ("n", classes))]
    return build(nodes, inputs, outputs, initializers=(constant("w", weights),)).SerializeToString()


STUCK_ABOVE = 1e6
"""The number in an input from which on `sticking` runs for as long as the number is large."""


@cache
def sticking(above: float = STUCK_ABOVE) -> bytes:
    """The model `softmax`, which first counts from `above` up to its largest input, where that is larger."""
    counted = [
        helper.make_node("Identity", ["going"], ["goes_on"]),
        helper.make_node("Add", ["count", "one"], ["counted"]),
    ]
    body = helper.make_graph(
        counted,
        "body",
        [_value("round", TensorProto.INT64, ()), _value("going", TensorProto.BOOL, ()),
         _value("count", TensorProto.FLOAT, ())],
        [_value("goes_on", TensorProto.BOOL, ()), _value("counted", TensorProto.FLOAT, ())],
    )  # fmt: skip
    weights = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
    nodes = [
        node("ReduceMax", "x", "largest", keepdims=0),
        node("Sub", "largest limit", "above"),
        node("Relu", "above", "rounds_float"),
        node("Cast", "rounds_float", "rounds", to=TensorProto.INT64),
        helper.make_node("Loop", ["rounds", "", "zero"], ["count_all"], body=body),
        node("Mul", "count_all zero", "nothing"),
        node("MatMul", "x w", "scores"),
        node("Add", "scores nothing", "logits"),
        node("Softmax", "logits", "probabilities", axis=1),
    ]
    initializers = (
        constant("w", weights),
        constant("limit", np.float32(above)),
        constant("zero", np.float32(0)),
        constant("one", np.float32(1)),
    )
    inputs = [_value("x", TensorProto.FLOAT, ("n", 4))]
    outputs = [_value("probabilities", TensorProto.FLOAT, ("n", 3))]
    return build(nodes, inputs, outputs, initializers=initializers).SerializeToString()


@cache
def fragile() -> bytes:
    """The model `softmax`, whose run fails where its largest input is above STUCK_ABOVE."""
    weights = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
    nodes = [
        node("ReduceMax", "x", "largest", keepdims=0),
        node("Sub", "largest limit", "above"),
        node("Relu", "above", "far"),
        node("Cast", "far", "index", to=TensorProto.INT64),
        node("Gather", "table index", "factor"),  # the table has one entry
        node("MatMul", "x w", "scores"),
        node("Mul", "scores factor", "logits"),
        node("Softmax", "logits", "probabilities", axis=1),
    ]
    initializers = (
        constant("w", weights),
        constant("limit", np.float32(STUCK_ABOVE)),
        constant("table", np.ones(1, np.float32)),
    )
    inputs = [_value("x", TensorProto.FLOAT, ("n", 4))]
    outputs = [_value("probabilities", TensorProto.FLOAT, ("n", 3))]
    return build(nodes, inputs, outputs, initializers=initializers).SerializeToString()


@cache
def bfloat16() -> bytes:
    """A model whose input cannot be fed."""
    kind = TensorProto.BFLOAT16
    return build(
        [node("Identity", "x", "y")], [_value("x", kind, ("n",))], [_value("y", kind, ("n",))]
    ).SerializeToString()


@cache
def of_types(given: str, told: str) -> bytes:
    """A model that casts elements of one ONNX type to another; it need not run."""
    kinds = TensorProto.DataType.Value(given), TensorProto.DataType.Value(told)
    inputs, outputs = [_value("x", kinds[0], ("n",))], [_value("y", kinds[1], ("n",))]
    return build([node("Cast", "x", "y", to=kinds[1])], inputs, outputs).SerializeToString()


@cache
def of_structure(given: str, told: str) -> bytes:
    """A model with an input and an output of such a structure; it need not run."""
    return build(
        [node("Identity", "x", "y")],
        [helper.make_value_info("x", _structure(given))],
        [helper.make_value_info("y", _structure(told))],
    ).SerializeToString()


def _structure(name: str) -> onnx.TypeProto:
    """A type of this structure, over FP32 where it holds something."""
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, ("n",))
    if name == "sparse":
        return helper.make_sparse_tensor_type_proto(TensorProto.FLOAT, ("n",))
    if name == "sequence":
        return helper.make_sequence_type_proto(tensor)
    if name == "map":
        return helper.make_map_type_proto(TensorProto.STRING, tensor)
    return helper.make_optional_type_proto(tensor) if name == "optional" else tensor


@cache
def external_data(location: str = "weights.bin") -> bytes:
    """A model whose weights lie in another file."""
    model = onnx.load_from_string(softmax())
    weights = model.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=location)
    weights.external_data.add(key="length", value="48")
    return model.SerializeToString()


@cache
def external_data_in_subgraph() -> bytes:
    """A model that hides an external tensor in the branch of an If."""
    tensor = constant("c", np.ones(1, np.float32))
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    branch = helper.make_graph(
        [node("Constant", "", "b", value=tensor)], "branch", [], [_value("b", TensorProto.FLOAT, (1,))]
    )
    choice = node("If", "flag", "y", then_branch=branch, else_branch=branch)
    return build(
        [choice], [_value("flag", TensorProto.BOOL, ())], [_value("y", TensorProto.FLOAT, (1,))]
    ).SerializeToString()


@cache
def unknown_operator() -> bytes:
    """A node that the ONNX standard does not know."""
    return _one_node(node("Nonsense", "x", "y"))


@cache
def unknown_domain() -> bytes:
    """A node of somebody's own operator library."""
    return _one_node(node("Blur", "x", "y", domain="com.example.vision"), domains=("com.example.vision",))


@cache
def undeclared_shape() -> bytes:
    """A model whose input states no shape."""
    model = onnx.load_from_string(identity())
    model.graph.input[0].type.tensor_type.ClearField("shape")
    return model.SerializeToString()


@cache
def newer_opset() -> bytes:
    """A model of an operator set that does not exist yet."""
    model = onnx.load_from_string(identity())
    model.opset_import[0].version = 999
    return model.SerializeToString()


@cache
def missing_locale() -> bytes:
    """Text lowered under a locale that no machine has."""
    normalizer = node("StringNormalizer", "x", "y", case_change_action="LOWER", locale="xx_YY.UTF-8")
    kind = TensorProto.STRING
    return build([normalizer], [_value("x", kind, ("n",))], [_value("y", kind, ("n",))]).SerializeToString()


@cache
def not_finite() -> bytes:
    """`y` = log(`x`), which is not finite for zero and below."""
    return _one_node(node("Log", "x", "y"))


@cache
def mixes_rows() -> bytes:
    """Each row less the mean of all rows: an item's answer depends on its neighbours."""
    kind, shape = TensorProto.FLOAT, ("n", 3)
    nodes = [node("ReduceMean", "x axis", "mean", keepdims=1), node("Sub", "x mean", "y")]
    axis = constant("axis", np.array([0], np.int64))
    return build(
        nodes, [_value("x", kind, shape)], [_value("y", kind, shape)], initializers=(axis,)
    ).SerializeToString()


@cache
def add_total() -> bytes:
    """`y` = `x`, and beside it the sum of all of `x`: one number, whatever the number of rows."""
    kind = TensorProto.FLOAT
    nodes = [node("Identity", "x", "y"), node("ReduceSum", "x", "total", keepdims=0)]
    outputs = [_value("y", kind, ("n", 4)), _value("total", kind, ())]
    return build(nodes, [_value("x", kind, ("n", 4))], outputs).SerializeToString()


@cache
def reserved_name() -> bytes:
    """An output named as one that answers add themselves."""
    kind, shape = TensorProto.FLOAT, ("n",)
    inputs, outputs = [_value("x", kind, shape)], [_value("review_status", kind, shape)]
    return build([node("Identity", "x", "review_status")], inputs, outputs).SerializeToString()


@cache
def inconsistent() -> bytes:
    """A graph whose node reads a tensor that nothing makes."""
    return _one_node(node("Identity", "nowhere", "y"))


@cache
def random() -> bytes:
    """Noise added to each number."""
    return _one_node(node("RandomNormalLike", "x", "noise"), node("Add", "x noise", "y"))


@cache
def needs_four_columns() -> bytes:
    """A model that declares any width but takes only four columns, which no made-up input has."""
    weights = constant("w", np.eye(4, dtype=np.float32))
    inputs, outputs = [_value("x", TensorProto.FLOAT, ("n", "k"))], [_value("y", TensorProto.FLOAT, ("n", 4))]
    return build([node("MatMul", "x w", "y")], inputs, outputs, initializers=(weights,)).SerializeToString()


@cache
def fixed_batch() -> bytes:
    """A model that takes exactly one row."""
    return identity("FP32", (1, 3))


@cache
def untrue_shape() -> bytes:
    """A model that declares an output of [n, 7] and gives [n, 3]: a size that only a run can tell."""
    nodes = [node("Mul", "x zero", "none"), node("Sub", "x none", "same"), node("Shape", "same", "s")]
    nodes += [node("Reshape", "same s", "y")]
    inputs, outputs = [_value("x", TensorProto.FLOAT, ("n", 3))], [_value("y", TensorProto.FLOAT, ("n", 7))]
    return build(nodes, inputs, outputs, initializers=(constant("zero", np.float32(0)),)).SerializeToString()


@cache
def memory_bomb(elements: int = 2**34) -> bytes:
    """A small file that asks for 64 GiB, or four times `elements`, when it is run."""
    size = constant("size", np.array([elements], np.int64))
    zero = constant("zero", np.array([0.0], np.float32))
    nodes = [node("Expand", "zero size", "huge"), node("ReduceSum", "huge", "total"), node("Add", "x total", "y")]
    return _one_node(*nodes, initializers=(size, zero))


@cache
def endless_loop() -> bytes:
    """A model that never ends."""
    body = helper.make_graph(
        [node("Identity", "going", "still"), node("Identity", "state", "next")],
        "body",
        [
            _value("i", TensorProto.INT64, ()),
            _value("going", TensorProto.BOOL, ()),
            _value("state", TensorProto.FLOAT, None),
        ],
        [_value("still", TensorProto.BOOL, ()), _value("next", TensorProto.FLOAT, None)],
    )
    constants = (constant("trips", np.array(2**62, np.int64)), constant("true", np.array(True)))
    return _one_node(node("Loop", "trips true x", "y", body=body), initializers=constants)


@cache
def network(features: int, hidden: int, classes: int) -> bytes:
    """`probabilities` [n, classes] of `x` [n, features] by one hidden layer."""
    random = np.random.default_rng(0)
    initializers = (
        constant("w1", random.standard_normal((features, hidden)).astype(np.float32)),
        constant("w2", random.standard_normal((hidden, classes)).astype(np.float32)),
    )
    nodes = [node("MatMul", "x w1", "sums"), node("Relu", "sums", "kept"), node("MatMul", "kept w2", "logits")]
    nodes += [node("Softmax", "logits", "probabilities", axis=1)]
    inputs = [_value("x", TensorProto.FLOAT, ("n", features))]
    outputs = [_value("probabilities", TensorProto.FLOAT, ("n", classes))]
    return build(nodes, inputs, outputs, initializers=initializers).SerializeToString()


@cache
def many_numbers(count: int) -> bytes:
    """`y` [n, count]: ones, whatever `x` [n, 1] is, which is `score`."""
    sizes = constant("sizes", np.array([1, count], np.int64))
    one = constant("one", np.array([[1.0]], np.float32))
    nodes = [node("Identity", "x", "score"), node("Mul", "x zero", "nothing"), node("Add", "nothing one", "ones")]
    nodes += [node("Expand", "ones sizes", "y")]
    inputs = [_value("x", TensorProto.FLOAT, ("n", 1))]
    outputs = [_value("score", TensorProto.FLOAT, ("n", 1)), _value("y", TensorProto.FLOAT, ("n", count))]
    zero = constant("zero", np.float32(0))
    return build(nodes, inputs, outputs, initializers=(sizes, one, zero)).SerializeToString()


@cache
def convolutions(layers: int = 5, classes: int = 10) -> bytes:
    """`probabilities` [n, classes] of pictures `x` [n, 3, 224, 224] after some milliseconds of convolutions."""
    random, before, channels = np.random.default_rng(0), 3, 32
    nodes, initializers, x = [], [], "x"
    for layer in range(layers):
        weights = random.standard_normal((channels, before, 3, 3)) / (3 * before**0.5)
        initializers.append(constant(f"w{layer}", weights.astype(np.float32)))
        nodes.append(node("Conv", f"{x} w{layer}", f"c{layer}", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4))
        nodes.append(node("Relu", f"c{layer}", f"r{layer}"))
        x, before, channels = f"r{layer}", channels, channels * 2
    initializers.append(constant("w", random.standard_normal((before, classes)).astype(np.float32)))
    nodes += [node("GlobalAveragePool", x, "pooled"), node("Flatten", "pooled", "flat")]
    nodes += [node("MatMul", "flat w", "logits"), node("Softmax", "logits", "probabilities", axis=1)]
    inputs = [_value("x", TensorProto.FLOAT, ("n", 3, 224, 224))]
    outputs = [_value("probabilities", TensorProto.FLOAT, ("n", classes))]
    return build(nodes, inputs, outputs, initializers=initializers).SerializeToString()


@cache
def heavy(size: int = 512, layers: int = 12) -> bytes:
    """Some milliseconds of matrix products over `x` [n, size]."""
    weights = constant("w", np.eye(size, dtype=np.float32))
    names = ["x", *(f"h{i}" for i in range(1, layers)), "y"]
    nodes = [node("MatMul", f"{before} w", after) for before, after in pairwise(names)]
    kind, shape = TensorProto.FLOAT, ("n", size)
    return build(
        nodes, [_value("x", kind, shape)], [_value("y", kind, shape)], initializers=(weights,)
    ).SerializeToString()


def _same(kind: int, shape: tuple[int | str, ...]) -> bytes:
    """`y` = `x` of this element type and shape."""
    inputs, outputs = [_value("x", kind, shape)], [_value("y", kind, shape)]
    return build([node("Identity", "x", "y")], inputs, outputs).SerializeToString()


def _one_node(*nodes: onnx.NodeProto, **parts: Any) -> bytes:
    """A model from `x` [n] to `y` [n], FP32."""
    kind = TensorProto.FLOAT
    return build(list(nodes), [_value("x", kind, ("n",))], [_value("y", kind, ("n",))], **parts).SerializeToString()


def _flowers() -> tuple[Any, Any]:
    """Iris: 150 rows of four features, three classes."""
    from sklearn.datasets import load_iris

    features, labels = load_iris(return_X_y=True)
    return features.astype(np.float32), labels


def _sklearn_text(options: dict[str, Any]) -> bytes:
    """The text classifier with these export options."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import StringTensorType
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectorizer = TfidfVectorizer()
    pipeline = make_pipeline(vectorizer, LogisticRegression()).fit(REVIEWS, SENTIMENTS)
    tfidf = {"locale": "C", "tokenexp": r"[a-zA-Z]+"}
    all_options = {id(vectorizer): tfidf, id(pipeline): options} if options else {id(vectorizer): tfidf}
    inputs = [("text", StringTensorType([None]))]
    return bytes(to_onnx(pipeline, initial_types=inputs, options=all_options).SerializeToString())
