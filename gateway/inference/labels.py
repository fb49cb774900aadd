"""The class order that a classifier keeps inside its graph. Reads `onnx` messages without importing `onnx`."""

from collections.abc import Callable, Mapping
from typing import Any

_LABEL_ATTRIBUTES = frozenset({"classlabels_strings", "classlabels_int64s", "classlabels_ints"})
_PASSING = frozenset({"Cast", "Identity", "Reshape", "Squeeze"})
_PICKING = frozenset({"ArrayFeatureExtractor", "Gather"})


def class_labels(graph: Any, vectors: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The labels in the order of the probabilities, empty where the graph names none or more than one list.

    Classifiers of ai.onnx.ml hold them as an attribute; others pick the label out of a constant vector.
    """
    found = {labels for labels in (*_from_attributes(graph), *_from_vectors(graph, vectors)) if labels}
    zipmaps = [node for node in graph.node if node.op_type == "ZipMap"]
    if zipmaps:
        found = {tuple(sorted(labels, key=_key_order(zipmaps))) for labels in found}
    return found.pop() if len(found) == 1 else ()


def _key_order(zipmaps: list[Any]) -> Callable[[str], Any]:
    """How the runtime orders the keys of a zipmap: whole numbers by value, texts by their bytes."""
    names = {attribute.name for node in zipmaps for attribute in node.attribute}
    return str.encode if "classlabels_strings" in names else int


def _from_attributes(graph: Any) -> list[tuple[str, ...]]:
    """The label attributes of classifier nodes."""
    return [
        tuple(label.decode("utf-8", "replace") for label in attribute.strings) or tuple(map(str, attribute.ints))
        for node in graph.node
        for attribute in node.attribute
        if attribute.name in _LABEL_ATTRIBUTES
    ]


def _from_vectors(graph: Any, vectors: Mapping[str, tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The constant vectors from which an output's values are picked."""
    producers = {name: node for node in graph.node for name in node.output}
    picks = [_picking_node(output.name, producers) for output in graph.output]
    return [vectors.get(node.input[0], ()) for node in picks if node is not None and node.input]


def _picking_node(name: str, producers: dict[str, Any]) -> Any | None:
    """The node that picks the output's values, behind nodes that only change their form."""
    for _ in range(len(producers)):
        node = producers.get(name)
        if node is None or node.op_type in _PICKING:
            return node
        if node.op_type not in _PASSING or not node.input:
            return None
        name = node.input[0]
    return None
