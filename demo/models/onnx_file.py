"""A trained scikit-learn classifier as the bytes of an ONNX file."""

from collections.abc import Mapping, Sequence
from typing import Any

from skl2onnx import to_onnx
from skl2onnx.common.data_types import DataType

# What onnxruntime 1.32 and its two predecessors all read.
OPSETS = {"": 21, "ai.onnx.ml": 3}


def classifier_bytes(
    pipeline: Any, name: str, inputs: Sequence[tuple[str, DataType]], options: Mapping[str, object] | None = None
) -> bytes:
    """A graph with the outputs `label` and `probabilities` ([n, classes], in the order of the fitted classes).

    Without `zipmap: False` the probabilities would be a list of maps, which no tensor protocol can carry. The graph is
    named, because a random name would make every file differ.
    """
    classifier = pipeline[-1]
    chosen = {id(classifier): {"zipmap": False}, **({id(pipeline[0]): dict(options)} if options else {})}
    graph = to_onnx(pipeline, initial_types=list(inputs), options=chosen, target_opset=OPSETS, name=name)
    # The converter keeps operator sets in a Python set, whose order is another in each process.
    graph.opset_import.sort(key=lambda opset: opset.domain)
    serialized: bytes = graph.SerializeToString(deterministic=True)
    return serialized
