"""How many nodes a graph has once its functions are written out, counted without writing them."""

import pytest

from gateway.inference.extent import NODES_MAX, Call, written_out

ADD: Call = ("ai.onnx", "Add")


def f(number: int) -> Call:
    """A function."""
    return ("own", f"f{number}")


CHAIN = {f(0): [ADD]} | {f(level): [f(level - 1)] * 2 for level in range(1, 100_000)}


@pytest.mark.parametrize(
    ("graph", "functions", "nodes"),
    [
        ([], {}, 0),
        ([ADD] * 3, {}, 3),
        ([ADD, f(0), f(0)], {f(0): [ADD] * 5}, 11),
        ([f(1)], {f(0): [ADD] * 2, f(1): [f(0), ADD, f(0)]}, 5),
        ([f(2), f(1)], {f(0): [ADD], f(1): [f(0)] * 3, f(2): [f(1), f(0)]}, 7),
        ([f(0)], {f(0): []}, 0),
        ([f(9)], {}, 1),
        ([f(99_999)], CHAIN, NODES_MAX + 1),
        ([f(0)], {f(0): [f(0)]}, None),
        ([ADD, f(0)], {f(0): [ADD, f(1)], f(1): [f(2)], f(2): [ADD, f(0)]}, None),
        ([ADD], {f(0): [f(0)]}, 1),
    ],
    ids=["nothing", "plain", "called twice", "nested", "shared", "empty", "unknown", "laughs", "itself", "circle",
         "a circle that nobody enters"],
)  # fmt: skip
def test_functions_are_counted_wherever_they_are_called(
    graph: list[Call], functions: dict[Call, list[Call]], nodes: int | None
) -> None:
    """A call counts as what it calls, however deep; what calls itself has no end."""
    assert written_out(graph, functions) == nodes
