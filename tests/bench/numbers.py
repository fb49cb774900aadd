"""Large arrays of numbers in JSON: our decoder and encoder beside the fastest libraries, in this process, in turn."""

from collections.abc import Callable, Mapping
from functools import partial
from operator import truediv
from statistics import median
from time import perf_counter, thread_time
from typing import Any

import msgspec
import numpy as np
import orjson
import simdjson

from gateway.inference.session import OnnxSession
from gateway.protocol.datatypes import Tensor
from gateway.protocol.decode import RequestDecoder
from gateway.protocol.encode import encode_response
from tests.bench.case import Case, Measured
from tests.bench.load import ROUNDS, SECONDS, SERVER, kept_to
from tests.bench.subjects import image

AT_LEAST_S = SECONDS / 3
"""For how long the functions are repeated in a round."""
IN_A_ROW = 8
"""So many calls of each count together before it is another's turn: the clock itself takes a microsecond."""
CLASSES, LARGE = 1_000, 100_000


class _Output(msgspec.Struct):
    name: str
    shape: tuple[int, ...]
    datatype: str
    data: list[float]


class _Answer(msgspec.Struct):
    model_name: str
    model_version: str
    outputs: list[_Output]


def _parsing() -> Measured:
    """Times a second that ours reads the request over those of simdjson's reading into an array of FP32."""
    body, _ = image().json()
    decoder = RequestDecoder(OnnxSession.open(image().file).signature)
    assert np.array_equal(decoder.decode(body).feeds["x"].ravel(), _best_parsed(body))
    return _compared(lambda: decoder.decode(body), {"simdjson": lambda: _best_parsed(body)})


def _best_parsed(body: bytes) -> Any:
    document: Any = simdjson.Parser().parse(body)
    return np.frombuffer(document["inputs"].at_pointer("/0/data").as_buffer(of_type="d"), "f8").astype(np.float32)


def _encoding(elements: int) -> Measured:
    """Times a second that ours writes an answer over those of the faster of orjson and msgspec."""
    array = np.random.default_rng(5).random((1, elements)).astype(np.float32)
    others = {"orjson": lambda: _with_orjson(array), "msgspec": lambda: _with_msgspec(array)}

    def ours() -> bytes:
        return encode_response(model="m", version="1", outputs={"y": array}).json

    assert ours() == others["orjson"]()
    return _compared(ours, others)


def _with_orjson(array: Tensor) -> bytes:
    output = {"name": "y", "shape": array.shape, "datatype": "FP32", "data": array.ravel()}
    return orjson.dumps(
        {"model_name": "m", "model_version": "1", "outputs": [output]}, option=orjson.OPT_SERIALIZE_NUMPY
    )


def _with_msgspec(array: Tensor) -> bytes:
    return msgspec.json.encode(_Answer("m", "1", [_Output("y", array.shape, "FP32", array.ravel().tolist())]))


def _compared(ours: Callable[[], object], others: Mapping[str, Callable[[], object]]) -> Measured:
    """The time of the fastest of the others over ours in each round, with each one's microseconds."""
    functions = {"ours": ours, **others}
    with kept_to(SERVER):
        rounds = [_microseconds(functions) for _ in range(ROUNDS)]
    best = [min(each[name] for name in others) for each in rounds]
    taken = {name: [each[name] for each in rounds] for name in functions}
    return Measured.middle(map(truediv, best, taken["ours"]), microseconds=taken)


def _microseconds(functions: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """What one call of each takes of a processor: the median of as many as fit, a few of each in turn."""
    ends = perf_counter() + AT_LEAST_S
    taken: dict[str, list[float]] = {name: [] for name in functions}
    while perf_counter() < ends:
        for name, function in functions.items():
            function()  # finds the memory as another left it
            began = thread_time()
            for _ in range(IN_A_ROW):
                function()
            taken[name].append((thread_time() - began) / IN_A_ROW)
    return {name: median(seconds) * 1e6 for name, seconds in taken.items()}


def _case(name: str, what: str, measure: Callable[[], Measured]) -> Case:
    """Within the noise of these machines, the speed of the best."""
    return Case(name=f"numbers_{name}", what=what, better="higher", goal=0.95, measure=measure)


CASES = (
    _case("parse_image", "150,528 numbers of JSON to a checked tensor: speed over simdjson's as_buffer", _parsing),
    _case("encode_1000", "an answer of 1,000 classes to JSON: speed over the best of orjson and msgspec",
          partial(_encoding, CLASSES)),
    _case("encode_100000", "an answer of 100,000 numbers to JSON: speed over the best of orjson and msgspec",
          partial(_encoding, LARGE)),
)  # fmt: skip
