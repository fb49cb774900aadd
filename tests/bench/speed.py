"""The prediction endpoint beside the bare prototype and the raw loop of onnxruntime: ratios of paired rounds.

Every server keeps to the first processor, its load to the second. Lockgate has everything on: key check, three flags,
decide, settle, and the entry of the traffic log appended before the answer. docs/performance.md tells what came of it.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import httpx
import msgspec
import numpy as np
import psutil

from gateway.inference.session import OnnxSession
from gateway.protocol.datatypes import Tensor
from tests.bench.case import Case
from tests.bench.press import Load, Pressed
from tests.models import convolutions, network
from tests.servers.lockgate import Lockgate, running_lockgate
from tests.servers.process import accepts, free_port, until

SERVER, LOADER = 0, 1
"""The processors of the two sides."""
ROUNDS = 5
SECONDS = 3.0
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


@dataclass(frozen=True)
class Endpoint:
    """Where requests for one model go, and what each of them is."""

    port: int
    request: bytes

    def press(self, connections: int, seconds: float = SECONDS) -> Pressed:
        """Send the request over so many connections for a while."""
        load = Load(
            port=self.port, request=b64encode(self.request).decode(), connections=connections, seconds=seconds,
            processor=LOADER,
        )  # fmt: skip
        command = [sys.executable, "-m", "tests.bench.press"]
        done = subprocess.run(command, input=msgspec.json.encode(load), capture_output=True, check=True)
        pressed = msgspec.json.decode(done.stdout, type=Pressed)
        assert pressed.rate, "nothing was answered"
        return pressed


@dataclass(frozen=True)
class Pair:
    """The same request for Lockgate and for the prototype."""

    ours: Endpoint
    bare: Endpoint

    def ratio(self, connections: int, of: Callable[[Pressed], float]) -> float:
        """A figure of ours over that of the prototype: the median of rounds in turn."""
        return median(of(self.ours.press(connections)) / of(self.bare.press(connections)) for _ in range(ROUNDS))


@dataclass(frozen=True)
class Model:
    """A model of the benchmark, with one input of it."""

    name: str
    file: bytes
    x: Tensor
    classes: int

    @property
    def card(self) -> str:
        """Its card."""
        names = [f"c{index}" for index in range(self.classes)]
        choices = "[" + ", ".join(f'{{ value = "{name}" }}' for name in names) + "]"
        return _CARD.replace("CLASSES", json.dumps(names)).replace("CHOICES", choices)

    def json(self) -> tuple[bytes, dict[str, str]]:
        """A request whose numbers stand in its JSON."""
        data = [round(float(number), 6) for number in self.x.ravel()]
        tensor = {"name": "x", "shape": self.x.shape, "datatype": "FP32", "data": data}
        return json.dumps({"inputs": [tensor]}).encode(), {}

    def binary(self) -> tuple[bytes, dict[str, str]]:
        """A request whose numbers stand behind its JSON."""
        tensor = {"name": "x", "shape": self.x.shape, "datatype": "FP32"}
        head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": self.x.nbytes}}]}).encode()
        return head + self.x.tobytes(), {"Inference-Header-Content-Length": str(len(head))}


@cache
def tabular() -> Model:
    """Thirty numbers through a small network."""
    x = np.random.default_rng(1).standard_normal((1, 30)).astype(np.float32)
    return Model("tabular", network(30, 64, 3), x, 3)


@cache
def image() -> Model:
    """A picture of 224 × 224 through some milliseconds of convolutions."""
    x = np.random.default_rng(2).random((1, 3, 224, 224)).astype(np.float32)
    return Model("image", convolutions(), x, 10)


@contextlib.contextmanager
def kept_to(processor: int) -> Iterator[None]:
    """Keep what is started meanwhile to one processor."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {processor})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def lockgate(*models: Model) -> Iterator[tuple[Lockgate, str]]:
    """A Lockgate on the server's processor whose models answer by themselves, and the key of a service."""
    with tempfile.TemporaryDirectory(prefix="lockgate-bench-") as name, kept_to(SERVER):
        folder = Path(name)
        with running_lockgate(folder, log_level="warning") as server:
            for model in models:
                (folder / "model.onnx").write_bytes(model.file)
                (folder / "model.toml").write_text(model.card, encoding="utf-8")
                server.run("models", "add", model.name, "model.onnx", "--card", "model.toml")
                server.run("flags", "on", f"{model.name}.automated", "--why", "bench")
            key = server.json("keys", "add", "bench", "--scope", "predict:*")["key"]
            for model in models:
                until(lambda model=model: answers(server, model, key), f"{model.name} answers")  # type: ignore[misc]
            yield server, key


def answers(server: Lockgate, model: Model, key: str) -> bool:
    """Whether the model answers by itself."""
    body, headers = model.json()
    url = f"{server.url}/v2/models/{model.name}/infer"
    asked = httpx.post(
        url, content=body, headers={"Authorization": f"Bearer {key}", "Prefer": "respond-async"} | headers
    )
    return asked.status_code == httpx.codes.OK


@contextlib.contextmanager
def prototype(model: Model, *, join: bool) -> Iterator[int]:
    """The port of the bare prototype, on the server's processor."""
    with tempfile.TemporaryDirectory(prefix="lockgate-bench-") as name, kept_to(SERVER):
        file, port = Path(name) / "model.onnx", free_port()
        file.write_bytes(model.file)
        command = [sys.executable, "-m", "tests.bench.prototype", str(file), str(port), *(["--join"] if join else [])]
        with subprocess.Popen(command) as process:
            try:
                until(lambda: accepts(port), "the prototype listens")
                yield port
            finally:
                process.terminate()


@contextlib.contextmanager
def beside(model: Model, *, join: bool) -> Iterator[Pair]:
    """Lockgate and the prototype, with the request in JSON."""
    with lockgate(model) as (server, key), prototype(model, join=join) as port:
        yield Pair(ours(server, key, model, model.json()), Endpoint(port, request("/", *model.json())))


def ours(server: Lockgate, key: str, model: Model, content: tuple[bytes, dict[str, str]]) -> Endpoint:
    """Lockgate's endpoint for a model."""
    body, headers = content
    path = f"/v2/models/{model.name}/infer"
    return Endpoint(server.port, request(path, body, headers | {"Authorization": f"Bearer {key}"}))


def request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """The bytes of a whole request."""
    lines = {"Host": "bench", "Content-Type": "application/json", "Content-Length": str(len(body))} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def raw_rate(model: Model, seconds: float = SECONDS) -> float:
    """Inferences a second of the bare loop, on the server's processor."""
    with kept_to(SERVER):
        session = OnnxSession.open(model.file)
        session.run({"x": model.x})
        runs, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            session.run({"x": model.x})
            runs += 1
        return runs / (time.perf_counter() - began)


@cache
def _tabular() -> dict[str, float]:
    with beside(tabular(), join=True) as pair:
        pressed = pair.ours.press(64)
        return {
            "c64": pair.ratio(64, lambda p: p.rate),
            "c1_p50": pair.ratio(1, lambda p: p.p50_us),
            "tail": pressed.p99_us / pressed.p50_us,
            "overload": median(pair.ours.press(192).rate / pair.ours.press(64).rate for _ in range(ROUNDS)),
        }


def _image_json() -> float:
    with beside(image(), join=False) as pair:
        return pair.ratio(1, lambda p: p.rate)


@cache
def _image_binary() -> dict[int, float]:
    with lockgate(image()) as (server, key):
        endpoint = ours(server, key, image(), image().binary())
        return {
            connections: median(endpoint.press(connections).rate / raw_rate(image()) for _ in range(ROUNDS))
            for connections in (1, 8)
        }


def _memory_mib() -> float:
    """What the gateway keeps in memory after some load on both models."""
    with lockgate(tabular(), image()) as (server, key):
        for model in (tabular(), image()):
            ours(server, key, model, model.json()).press(16)
        [gateway] = [pid for name, pid in server.processes().items() if name.startswith("gateway")]
        return float(psutil.Process(gateway).memory_info().rss) / 2**20


def _case(name: str, what: str, goal: float, measure: Callable[[], float], better: str = "higher") -> Case:
    return Case(name=f"speed_{name}", what=what, better=better, goal=goal, measure=measure)  # type: ignore[arg-type]


CASES = (
    _case("tabular_c64", "tabular JSON, 64 connections: rate over the prototype's", 0.70, lambda: _tabular()["c64"]),
    _case("tabular_c1_p50", "tabular JSON, 1 connection: p50 over the prototype's", 1.6,
          lambda: _tabular()["c1_p50"], "lower"),
    _case("tail", "tabular JSON, 64 connections: p99 over p50", 3.0, lambda: _tabular()["tail"], "lower"),
    _case("overload", "tabular JSON: rate at 192 connections over that at 64", 0.9, lambda: _tabular()["overload"]),
    _case("image_json", "image JSON, 1 connection: rate over the prototype's", 0.85, _image_json),
    _case("image_binary_c1", "image binary, 1 connection: rate over the raw loop's", 0.90, lambda: _image_binary()[1]),
    _case("image_binary_c8", "image binary, 8 connections: rate over the raw loop's", 0.90, lambda: _image_binary()[8]),
    _case("memory_mib", "MiB of a gateway with both models after load", 250.0, _memory_mib, "lower"),
)  # fmt: skip
