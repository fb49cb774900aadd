"""How far a model reaches beyond the bytes of its file: nodes behind functions that call functions. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping

NODES_MAX = 100_000
"""Nodes of a graph once its functions are written out; the largest networks in use have half as many."""
RANK_MAX = 32
"""Dimensions of an input."""

Call = tuple[str, str]
"""What a node does: domain and operator, which may be a function of the file."""


def written_out(graph: Iterable[Call], functions: Mapping[Call, Iterable[Call]]) -> int | None:
    """How many nodes a graph has when every function stands in the place of its calls; None where that has no end.

    A few lines that call each other twice are many millions; it is counted without writing any of them, and no further
    than just beyond NODES_MAX.
    """
    bodies = {name: Counter(body) for name, body in functions.items()} | {_GRAPH: Counter(graph)}
    sizes: dict[Call, int] = {}
    begun: set[Call] = set()
    waiting = [_GRAPH]
    while waiting:
        name = waiting[-1]
        inside = [call for call in bodies[name] if call in bodies and call not in sizes]
        if not inside:
            size = sum(count * sizes.get(call, 1) for call, count in bodies[name].items())
            sizes[name] = min(size, NODES_MAX + 1)
            waiting.pop()
        elif name in begun:
            return None
        else:
            begun.add(name)
            waiting += inside
    return sizes[_GRAPH]


_GRAPH: Call = ("", "")
"""The graph itself, which no node can call."""
