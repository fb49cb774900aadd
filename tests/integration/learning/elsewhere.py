"""A server of the Open Inference Protocol with the tests' small model turned around, which does as a test wants."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from gateway.inference.upstreams import AllowedUpstreams
from gateway.registry.adding import Adding
from gateway.registry.elsewhere import add_upstream
from lockgate.listeners import address_of, bind
from lockgate.web import serving
from tests.integration.learning.conftest import MODEL, SLICED, Learning

WEIGHTS = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
Said = tuple[int, dict[str, str], bytes]


class Server:
    """What it tells and answers; `before` may answer in the place of the model, by the number of the call."""

    def __init__(self) -> None:
        self.origin = ""
        self.versions = ["3"]
        self.answers_as = "3"
        self.features = 4
        self.calls = 0
        self.rows: list[int] = []
        self.before: Callable[[int, np.ndarray], Said | None] = lambda _call, _rows: None

    @property
    def allowed(self) -> AllowedUpstreams:
        """That this server may be called."""
        return AllowedUpstreams(keys={self.origin: ""}, within_s=20.0, evaluation_calls_per_s=1000.0)

    @property
    def address(self) -> str:
        """The model."""
        return f"{self.origin}/theirs/versions/3"

    def behave(self, before: Callable[[int, np.ndarray], Said | None] = lambda _call, _rows: None) -> None:
        """Count calls anew, and let this answer first."""
        self.calls, self.rows, self.before = 0, [], before

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        """Answer one request."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, headers, said = self._answer(scope["path"], body)
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": said})

    def _answer(self, path: str, body: bytes) -> Said:
        if path.endswith("/infer"):
            return self._infer(json.loads(body))
        if path == "/v2":
            return 200, {}, b'{"extensions": []}'
        inputs = [{"name": "x", "datatype": "FP32", "shape": [-1, self.features]}]
        outputs = [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 3]}]
        told = {"name": "theirs", "versions": self.versions, "platform": "numpy", "inputs": inputs, "outputs": outputs}
        return 200, {}, json.dumps(told).encode()

    def _infer(self, asked: dict) -> Said:
        rows = np.array(asked["inputs"][0]["data"], np.float32).reshape(-1, 4)
        self.calls += 1
        self.rows.append(len(rows))
        if (instead := self.before(self.calls, rows)) is not None:
            return instead
        powers = np.exp(rows @ -WEIGHTS)
        told = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        output = {"name": "probabilities", "datatype": "FP32", "shape": list(told.shape), "data": told.ravel().tolist()}
        answer = {"model_name": "theirs", "model_version": self.answers_as, "outputs": [output]}
        return 200, {}, json.dumps(answer).encode()


@asynccontextmanager
async def elsewhere() -> AsyncIterator[Server]:
    """Such a server."""
    server, listener = Server(), bind("127.0.0.1:0", "test")
    async with serving(server, listener, drain_s=1):
        server.origin = f"http://{address_of(listener)}"
        yield server


async def add_elsewhere(learning: Learning, server: Server, name: str = MODEL, data: dict | None = None) -> None:
    """The server's model as the next version of ours."""
    adding = Adding(
        tenant_id=learning.scene.tenant_id, name=name, card=SLICED, by="person:ada@example.org", attached=data or {}
    )
    await add_upstream(learning.ledger, adding, server.address, server.allowed)


def files_below(folder: Path) -> set[Path]:
    """Every file below a folder."""
    return {path for path in folder.rglob("*") if path.is_file()}
