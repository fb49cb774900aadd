"""A real MLServer in an environment of its own, with the model `softmax` of the tests written in numpy."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.servers.environments import environment
from tests.servers.process import Process, accepts, free_port

RUNTIME = """
import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

SIGNS = {"softmax": 1, "contrary": -1}


class Runtime(MLModel):
    async def load(self) -> bool:
        self._weights = SIGNS[self.name] * np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = NumpyCodec.decode_input(payload.inputs[0])
        logits = rows.astype(np.float32) @ self._weights
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        told = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("probabilities", told)])
"""
MODELS = ("softmax", "contrary")
READY_S = 120.0


class MLServer:
    """MLServer with the models `softmax` and `contrary`, over HTTP and gRPC."""

    def __init__(self, folder: Path) -> None:
        self.port, self.grpc_port, self.metrics_port = free_port(), free_port(), free_port()
        self._lay_out(folder)
        program = environment("server-mlserver") / "bin" / "mlserver"
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("LOCKGATE_", "MLSERVER_"))}
        self.process = Process(
            [program, "start", str(folder)],
            folder / "mlserver.log",
            environment=ours | {"PYTHONPATH": str(folder), "NO_COLOR": "1"},
            folder=folder,
        )

    @property
    def http(self) -> str:
        """Where it speaks HTTP."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def grpc(self) -> str:
        """Where it speaks gRPC."""
        return f"grpc://127.0.0.1:{self.grpc_port}"

    def start(self) -> None:
        """Start it and return when its models answer."""
        self.process.start()
        self.process.wait_until(self._ready, "MLServer is ready", READY_S)

    def _ready(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            ready = (httpx.get(f"{self.http}/v2/models/{model}/ready", timeout=5).is_success for model in MODELS)
            return all(ready) and accepts(self.grpc_port)
        return False

    def _lay_out(self, folder: Path) -> None:
        ports = {"http_port": self.port, "grpc_port": self.grpc_port, "metrics_port": self.metrics_port}
        settings = {"host": "127.0.0.1", "parallel_workers": 0, "debug": False, **ports}
        (folder / "settings.json").write_text(json.dumps(settings))
        (folder / "runtime.py").write_text(RUNTIME)
        for name in MODELS:
            (folder / name).mkdir()
            model = {
                "name": name,
                "implementation": "runtime.Runtime",
                "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}],
                "outputs": [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 3]}],
            }
            (folder / name / "model-settings.json").write_text(json.dumps(model))


@contextlib.contextmanager
def running_mlserver() -> Iterator[MLServer]:
    """A started server; it is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="lockgate-mlserver-", ignore_cleanup_errors=True) as folder:
        server = MLServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.process.kill()
