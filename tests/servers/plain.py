"""The server that most teams write: FastAPI with onnxruntime, in an environment of its own."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.servers.environments import environment
from tests.servers.process import Process, accepts, free_port

APPLICATION = """
import os

import numpy as np
import onnxruntime as ort
from fastapi import FastAPI
from pydantic import BaseModel

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
outputs = [output.name for output in session.get_outputs()]
app = FastAPI()


class Tensor(BaseModel):
    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class InferRequest(BaseModel):
    inputs: list[Tensor]


class InferResponse(BaseModel):
    model_name: str
    outputs: list[Tensor]


@app.post("/v2/models/{name}/infer")
def infer(name: str, request: InferRequest) -> InferResponse:
    feeds = {each.name: np.array(each.data, np.float32).reshape(each.shape) for each in request.inputs}
    named = zip(outputs, session.run(outputs, feeds))
    told = [Tensor(name=n, shape=list(y.shape), datatype="FP32", data=y.ravel().tolist()) for n, y in named]
    return InferResponse(model_name=name, outputs=told)
"""


@contextlib.contextmanager
def running_plain(model: bytes) -> Iterator[int]:
    """The port of a started server of this model; it is gone at the end."""
    uvicorn = environment("server-fastapi") / "bin" / "uvicorn"
    with tempfile.TemporaryDirectory(prefix="lockgate-plain-") as name:
        folder, port = Path(name), free_port()
        (folder / "model.onnx").write_bytes(model)
        (folder / "plain.py").write_text(APPLICATION)
        server = Process(
            [uvicorn, "plain:app", "--port", str(port), "--log-level", "warning", "--no-access-log"],
            folder / "plain.log",
            environment=os.environ | {"MODEL": str(folder / "model.onnx")},
            folder=folder,
        )
        server.start()
        try:
            server.wait_until(lambda: accepts(port), "the plain server listens")
            yield port
        finally:
            server.kill()
