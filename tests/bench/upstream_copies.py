"""What a gateway holds of a large tensor that goes through it to an upstream and comes back: its memory at the most.

The upstream gives back what it is sent. One tensor comes in and has to be whole before anything is decided; one comes
back and has to be whole before it is settled. Nothing of it is captured: that would be a copy of each.
"""

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import psutil

from tests.bench.case import Case
from tests.servers.lockgate import Lockgate, running_lockgate
from tests.servers.process import free_port, until

MODEL, SIZE_BYTES, ROUNDS = "large", 48 * 1024 * 1024, 3
LENGTH = "inference-header-content-length"
CARD = """
guideline = "Which of the three?"
[about]
owner = "bench"
contact = "bench@example.org"
intended_use = "Measuring."
limitations = "None."
[[shown]]
input = "x"
kind = "table"
[answer]
output = "p"
takes = "argmax"
classes = ["a", "b", "c"]
[labels]
kind = "choice"
choices = [{ value = "a" }, { value = "b" }, { value = "c" }]
[policy]
capture = 0.0
audit_rate = 0.0
audit_rate_under_pressure = 0.0
"""
TOLD = {
    "name": "echo", "versions": ["1"], "platform": "bench",
    "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, -1]}],
    "outputs": [
        {"name": "p", "datatype": "FP32", "shape": [-1, 3]}, {"name": "y", "datatype": "FP32", "shape": [-1, -1]},
    ],
}  # fmt: skip


async def _request(reader: asyncio.StreamReader) -> tuple[str, bytes, int]:
    """Path, body and length of the JSON of the next request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return first.split()[1], body, int(headers.get(LENGTH, "0"))


def _answer(path: str, body: bytes, json_bytes: int) -> tuple[bytes, bytes, int]:
    """JSON, what stands behind it, and the length that the header tells."""
    if not path.endswith("/infer"):
        told = {"extensions": ["binary_tensor_data"]} if path == "/v2" else TOLD
        return json.dumps(told).encode(), b"", 0
    shape = json.loads(body[:json_bytes])["inputs"][0]["shape"]
    raw = np.full((shape[0], 3), 1 / 3, np.float32).tobytes()
    outputs = [
        {"name": "p", "shape": [shape[0], 3], "datatype": "FP32", "parameters": {"binary_data_size": len(raw)}},
        {"name": "y", "shape": shape, "datatype": "FP32", "parameters": {"binary_data_size": len(body) - json_bytes}},
    ]
    said = json.dumps({"model_name": "echo", "model_version": "1", "outputs": outputs}).encode()
    return said, raw + body[json_bytes:], len(said)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            said, behind, length = _answer(*await _request(reader))
            told = f"{LENGTH}: {length}\r\n" if length else ""
            head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(said) + len(behind)}\r\n{told}\r\n"
            writer.writelines([head.encode(), said, behind])
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def _echo(port: int) -> AsyncIterator[None]:
    """The upstream."""
    async with await asyncio.start_server(_serve, "127.0.0.1", port):
        yield


def _peak_bytes(pid: int) -> int:
    """The most memory that a process has had since `_forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def _forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="utf-8")


async def _ask(server: Lockgate, key: str, columns: int) -> None:
    """Send a tensor, and have it back."""
    tensor = np.ones((1, columns), np.float32)
    size = {"binary_data_size": tensor.nbytes}
    said = json.dumps({
        "inputs": [{"name": "x", "shape": list(tensor.shape), "datatype": "FP32", "parameters": size}],
        "parameters": {"binary_data_output": True},
    }).encode()  # fmt: skip
    headers = {"Authorization": f"Bearer {key}", LENGTH: str(len(said))}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60, trust_env=False) as client:
        answer = await client.post(f"/v2/models/{MODEL}/infer", content=said + tensor.tobytes())
    assert answer.status_code == httpx.codes.OK, answer.text
    assert len(answer.content) > tensor.nbytes


async def _peaks(server: Lockgate, upstream: str) -> list[float]:
    await asyncio.to_thread(_found, server, upstream)
    key = (await asyncio.to_thread(server.json, "keys", "add", "bench", "--scope", "predict:*"))["key"]
    pid = server.processes()["gateway-1"]
    with server.client(key) as client:
        await asyncio.to_thread(until, lambda: client.get(f"/v2/models/{MODEL}/ready").is_success, "it is served")
    await _ask(server, key, SIZE_BYTES // 4)
    found = []
    for _ in range(ROUNDS):
        before = psutil.Process(pid).memory_info().rss
        _forget_peak(pid)
        await _ask(server, key, SIZE_BYTES // 4)
        found.append((_peak_bytes(pid) - before) / SIZE_BYTES)
    return found


def _found(server: Lockgate, upstream: str) -> None:
    (server.folder / "model.toml").write_text(CARD, encoding="utf-8")
    server.run("models", "add", MODEL, "--upstream", f"{upstream}/echo", "--card", "model.toml")
    server.run("flags", "on", f"{MODEL}.automated", "--why", "bench")


async def _measured(folder: Path) -> float:
    port = free_port()
    upstream = f"http://127.0.0.1:{port}"
    async with _echo(port):
        opened = running_lockgate(folder, upstreams=upstream)
        server = await asyncio.to_thread(opened.__enter__)
        try:
            return max(await _peaks(server, upstream))
        finally:
            await asyncio.to_thread(opened.__exit__, None, None, None)


def _measure() -> float:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measured(Path(folder)))


CASES = (
    Case(
        name="upstream_copies",
        what=f"memory of a gateway at the most, over the size of a tensor of {SIZE_BYTES >> 20} MiB that goes to an "
        "upstream and comes back",
        better="lower",
        goal=2.5,
        measure=_measure,
    ),
)
