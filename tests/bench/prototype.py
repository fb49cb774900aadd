"""The bare prototype: the least that can answer the protocol, as the ceiling that Lockgate is measured against.

Raw ASGI on uvicorn (uvloop, httptools), msgspec structs for small bodies and simdjson for large ones, numpy and
`session.run`, and requests joined once a turn of the loop where the model gains by it. No keys, flags, decision, log or
metrics. `python -m tests.bench.prototype MODEL PORT [--join]` serves any path; a body with an
`Inference-Header-Content-Length` is binary.
"""

import asyncio
import sys
from typing import Any

import msgspec
import numpy as np
import onnxruntime as ort
import orjson
import simdjson
import uvicorn

MUCH = 32 * 1024
"""From this size on a body is read by simdjson, the fastest for many numbers."""


class _Tensor(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw = msgspec.Raw()
    parameters: dict[str, Any] | None = None


class _Body(msgspec.Struct):
    inputs: list[_Tensor]
    id: str | None = None


class _Out(msgspec.Struct):
    name: str
    shape: tuple[int, ...]
    datatype: str
    data: list[float]


class _Answer(msgspec.Struct):
    model_name: str
    outputs: list[_Out]


class Prototype:
    """One model with one float input, over ASGI."""

    def __init__(self, model: str, *, join: bool) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._join = join
        self._waiting: list[tuple[Any, asyncio.Future[Any]]] = []
        self._decoder = msgspec.json.Decoder(_Body)
        self._parser = simdjson.Parser()
        self._floats = msgspec.json.Decoder(list[float])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        length = next((value for name, value in scope["headers"] if name == b"inference-header-content-length"), None)
        outputs = await self._run(self._tensor(body, length))
        reply = self._reply(outputs)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(reply)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": reply})

    def _tensor(self, body: bytes, json_length: bytes | None) -> Any:
        if json_length is None and len(body) >= MUCH:
            document: Any = self._parser.parse(body)
            [large] = document["inputs"]
            numbers = np.frombuffer(large["data"].as_buffer(of_type="d"), np.float64).astype(np.float32)
            return numbers.reshape(large["shape"].as_list())
        end = len(body) if json_length is None else int(json_length)
        [tensor] = self._decoder.decode(memoryview(body)[:end]).inputs
        if json_length is not None:
            return np.frombuffer(body, np.float32, offset=end).reshape(tensor.shape)
        return np.array(self._floats.decode(tensor.data), np.float32).reshape(tensor.shape)

    async def _run(self, tensor: Any) -> list[Any]:
        if not self._join:
            return list(self._session.run(self._outputs, {self._input: tensor}))
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append((tensor, future))
        return list(await future)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        batch = np.concatenate([tensor for tensor, _ in waiting]) if len(waiting) > 1 else waiting[0][0]
        outputs = self._session.run(self._outputs, {self._input: batch})
        at = 0
        for tensor, future in waiting:
            rows = len(tensor)
            future.set_result([output[at : at + rows] for output in outputs])
            at += rows

    def _reply(self, outputs: list[Any]) -> bytes:
        if sum(output.size for output in outputs) > 256:
            tensors = [
                {"name": name, "shape": output.shape, "datatype": "FP32", "data": output.ravel()}
                for name, output in zip(self._outputs, outputs, strict=True)
            ]
            return orjson.dumps({"model_name": "m", "outputs": tensors}, option=orjson.OPT_SERIALIZE_NUMPY)
        named = zip(self._outputs, outputs, strict=True)
        outs = [_Out(name, output.shape, "FP32", output.ravel().tolist()) for name, output in named]
        return msgspec.json.encode(_Answer("m", outs))


def main(model: str, port: str, *more: str) -> None:
    """Serve until ended."""
    app = Prototype(model, join="--join" in more)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False, lifespan="off")


if __name__ == "__main__":
    main(*sys.argv[1:])
