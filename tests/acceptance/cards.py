"""A small model of the tests' own, and requests of which it is as sure as a test wants.

It takes four numbers and answers `low`, `middle` or `high`; with their sum grows how much surer it is of `high`.
"""

import itertools
from collections.abc import Sequence

CLASSES = ("low", "middle", "high")
_CARD = """
guideline = "Which of the three is it?"

[about]
owner = "The tests"
contact = "tests@example.org"
intended_use = "To see that a request is answered by the model or by a person."
limitations = "It knows nothing."

[[shown]]
input = "x"
kind = "table"
columns = ["a", "b", "c", "d"]

[answer]
output = "probabilities"
takes = "argmax"
confidence = "probabilities"
classes = ["low", "middle", "high"]

[[outcome]]
output = "probabilities"
becomes = "one_hot"

[labels]
kind = "choice"
choices = [{ value = "low", key = "l" }, { value = "middle", key = "m" }, { value = "high", key = "h" }]

[policy]
hold_below = 0.6
"""
_numbers = itertools.count(1)


def card(**policy: object) -> str:
    """The model's card, with these numbers of its policy; nothing is audited unless they say so."""
    numbers = {"audit_rate": 0.0, "audit_rate_under_pressure": 0.0} | policy
    return _CARD + "".join(f"{name} = {_toml(value)}\n" for name, value in numbers.items())


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def doubtful() -> list[float]:
    """An item that was never sent before, of which the model is unsure; it would say `high`."""
    return _item(1.0)


def sure() -> list[float]:
    """An item that was never sent before, of which the model is sure: it says `high`."""
    return _item(30.0)


def _item(total: float) -> list[float]:
    number = float(next(_numbers))
    return [number, total, -number, 0.0]


def request(*items: Sequence[float], **more: object) -> dict[str, object]:
    """A request for these items."""
    data = [number for item in items for number in item]
    return {"inputs": [{"name": "x", "shape": [len(items), 4], "datatype": "FP32", "data": data}], **more}


def answers(body: dict[str, object]) -> list[str]:
    """What an answer says of each item: the argmax over its row, as any client would read it."""
    outputs = {output["name"]: output for output in body["outputs"]}  # type: ignore[attr-defined]
    numbers = outputs["probabilities"]["data"]
    rows = [numbers[at : at + len(CLASSES)] for at in range(0, len(numbers), len(CLASSES))]
    return [CLASSES[row.index(max(row))] for row in rows]
