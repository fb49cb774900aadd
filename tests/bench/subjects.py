"""The models of the serving benchmarks, each with one input of it, as every server beside us gets them, too."""

import json
from dataclasses import dataclass
from functools import cache

import numpy as np

from gateway.protocol.datatypes import Tensor
from tests.models import convolutions, network

_CARD = """
batch_axis = 0
guideline = "Which class?"
[about]
owner = "bench"
contact = "bench@example.org"
intended_use = "Measuring."
limitations = "None."
[[shown]]
input = "x"
kind = "json"
[answer]
output = "probabilities"
takes = "argmax"
confidence = "probabilities"
classes = CLASSES
[labels]
kind = "choice"
choices = CHOICES
[policy]
hold_below = 0.0
audit_rate = 0.0
audit_rate_under_pressure = 0.0
"""
Content = tuple[bytes, dict[str, str]]
"""A body and its headers."""


@dataclass(frozen=True)
class Subject:
    """A model of the benchmark, with one input of it."""

    name: str
    file: bytes
    x: Tensor
    classes: int
    more: str = ""
    """What else its card says."""

    @property
    def card(self) -> str:
        """Its card."""
        names = [f"c{index}" for index in range(self.classes)]
        choices = "[" + ", ".join(f'{{ value = "{name}" }}' for name in names) + "]"
        return _CARD.replace("CLASSES", json.dumps(names)).replace("CHOICES", choices) + self.more

    def json(self) -> Content:
        """A request whose numbers stand in its JSON."""
        data = [round(float(number), 6) for number in self.x.ravel()]
        tensor = {"name": "x", "shape": self.x.shape, "datatype": "FP32", "data": data}
        return json.dumps({"inputs": [tensor]}).encode(), {}

    def binary(self) -> Content:
        """A request whose numbers stand behind its JSON."""
        tensor = {"name": "x", "shape": self.x.shape, "datatype": "FP32"}
        head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": self.x.nbytes}}]}).encode()
        return head + self.x.tobytes(), {"Inference-Header-Content-Length": str(len(head))}


@cache
def tabular() -> Subject:
    """Thirty numbers through a small network."""
    return Subject("tabular", network(30, 64, 3), _normal(1, 30), 3)


@cache
def digits() -> Subject:
    """Sixty-four numbers through a small network."""
    return Subject("digits", network(64, 100, 10), _normal(3, 64), 10)


@cache
def image() -> Subject:
    """A picture of 224 × 224 through some milliseconds of convolutions; its pixels are digested and not kept."""
    x = np.random.default_rng(2).random((1, 3, 224, 224)).astype(np.float32)
    return Subject("image", convolutions(), x, 10, "capture = 0.0\n")


@cache
def wide() -> Subject:
    """Thirty numbers through some milliseconds of a wide network.

    As a convolutional model on one core it is run alone, and what waits for it waits for less than half a second.
    """
    return Subject("wide", network(30, 400_000, 3), _normal(1, 30), 3, "[batching]\njoin = false\nmax_waiting = 64\n")


def _normal(seed: int, size: int) -> Tensor:
    return np.random.default_rng(seed).standard_normal((1, size)).astype(np.float32)
