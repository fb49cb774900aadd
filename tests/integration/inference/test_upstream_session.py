"""A session over the network, against servers that misbehave: nothing they send is believed, nobody waits for ever."""

import asyncio
import contextlib
import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc
import numpy as np
import pytest

from gateway.errors import GatewayError
from gateway.inference.circuit import FAILURES
from gateway.inference.errors import ModelFailed
from gateway.inference.session import Stop
from gateway.inference.upstream_errors import UpstreamUnavailable
from gateway.inference.upstream_session import UpstreamSession, open_upstream
from gateway.inference.upstreams import AllowedUpstreams, upstream_at
from gateway.protocol.inference_pb2 import ModelInferRequest, ModelInferResponse
from gateway.protocol.signature import Signature, TensorSpec
from lockgate.listeners import address_of, bind
from lockgate.web import serving

SIGNATURE = Signature(
    inputs=(TensorSpec(name="x", datatype="FP32", shape=(-1, 2)),),
    outputs=(TensorSpec(name="y", datatype="FP32", shape=(-1, 2)), TensorSpec(name="t", datatype="BYTES", shape=(-1,))),
)
FEEDS = {"x": np.array([[1.5, -2]], np.float32)}
TEXTS = {"name": "t", "shape": [1], "datatype": "BYTES", "data": ["é"]}
Answer = tuple[int, dict[str, str], bytes]


def y(**more: object) -> dict[str, object]:
    """The output `y` in JSON."""
    return {"name": "y", "shape": [1, 2], "datatype": "FP32", "data": [3, 4.5]} | more


def told(*outputs: object) -> bytes:
    """A response with these outputs."""
    return json.dumps({"model_name": "m", "outputs": outputs}).encode()


@asynccontextmanager
async def http(
    answer: Callable[[bytes, dict[bytes, bytes]], Awaitable[Answer]], **bounds: float
) -> AsyncIterator[UpstreamSession]:
    """A session on a server that announces binary tensors and answers every inference so."""

    async def app(scope: dict, receive: Callable, send: Callable) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, headers, said = 200, {}, b'{"extensions": ["binary_tensor_data"]}'
        if scope["path"].endswith("/infer"):
            status, headers, said = await answer(body, dict(scope["headers"]))
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": said})

    listener = bind("127.0.0.1:0", "test")
    async with serving(app, listener, drain_s=1), opened(f"http://{address_of(listener)}", **bounds) as session:
        yield session


@asynccontextmanager
async def spoken(answer: Callable[[bytes], Awaitable[bytes]], **bounds: float) -> AsyncIterator[UpstreamSession]:
    """A session on a gRPC server that answers every inference so."""

    async def infer(request: bytes, _context: object) -> bytes:
        return await answer(request)

    server = grpc.aio.server()
    methods = {"ModelInfer": grpc.unary_unary_rpc_method_handler(infer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("inference.GRPCInferenceService", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with opened(f"grpc://127.0.0.1:{port}", **bounds) as session:
            yield session
    finally:
        await server.stop(None)


@asynccontextmanager
async def opened(origin: str, **bounds: float) -> AsyncIterator[UpstreamSession]:
    """A session whose connections are closed at the end."""
    upstream = upstream_at(f"{origin}/m", "m").with_signature(SIGNATURE)
    session = open_upstream(upstream, AllowedUpstreams(keys={origin: "lg_key"}, **bounds))
    try:
        yield session
    finally:
        await session.end()


async def failing(session: UpstreamSession, **more: float) -> str:
    """The code of what an inference raises."""
    with pytest.raises(GatewayError) as caught:
        await session.infer(FEEDS, **more)
    return caught.value.code


async def test_tensors_travel_as_binary_data_with_key_and_time() -> None:
    """The request has raw bytes and says how long one waits; the answer may mix JSON and bytes."""
    seen: list[tuple[bytes, dict[bytes, bytes]]] = []

    async def answer(body: bytes, headers: dict[bytes, bytes]) -> Answer:
        seen.append((body, headers))
        raw = np.array([[3, 4.5]], np.float32).tobytes()
        output = {"name": "y", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": len(raw)}}
        said = told(output, TEXTS)
        return 200, {"Inference-Header-Content-Length": str(len(said))}, said + raw

    async with http(answer) as session:
        outputs = await session.infer(FEEDS, within_s=1.5)
    assert (outputs["y"].tolist(), outputs["t"].tolist()) == ([[3, 4.5]], ["é"])
    [(body, headers)] = seen
    message = json.loads(body[: int(headers[b"inference-header-content-length"])])
    assert body.endswith(FEEDS["x"].tobytes())
    assert (headers[b"authorization"], message["parameters"]) == (b"Bearer lg_key", {"timeout": 1_500_000})


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, told(y(), TEXTS)[:-3], "upstream-answer-wrong"),
        (200, b"\xff" * 20, "upstream-answer-wrong"),
        (200, told(y()), "upstream-answer-wrong"),
        (200, told(y(datatype="FP64"), TEXTS), "upstream-answer-wrong"),
        (200, told(y(datatype="BF16"), TEXTS), "upstream-answer-wrong"),
        (200, told(y(shape=[2, 1]), TEXTS), "upstream-answer-wrong"),
        (200, told(y(shape=[1, 2, 1]), TEXTS), "upstream-answer-wrong"),
        (200, told(y(shape=[-1, -2]), TEXTS), "upstream-answer-wrong"),
        (200, told(y(shape=[2**62, 4]), TEXTS), "upstream-answer-wrong"),
        (200, told(y(data=None), TEXTS), "upstream-answer-wrong"),
        (200, told({"name": "y", "shape": [1, 2], "datatype": "FP32"}, TEXTS), "upstream-answer-wrong"),
        (302, b"", "upstream-unavailable"),
        (401, b"", "upstream-unavailable"),
        (404, b"", "upstream-unavailable"),
        (429, b"", "upstream-unavailable"),
        (503, b"", "upstream-unavailable"),
        (504, b"", "upstream-too-slow"),
        (400, b"a driver's words", "model-refused-values"),
        (422, b"", "model-refused-values"),
        (500, b"a stack", "model-failed"),
    ],
)
async def test_wrong_answers_over_http(status: int, body: bytes, code: str) -> None:
    """Each has a code of ours, and none of the server's words."""

    async def answer(_body: bytes, _headers: dict[bytes, bytes]) -> Answer:
        return status, {"Location": "http://169.254.169.254/"} if status == 302 else {}, body

    async with http(answer) as session:
        assert await failing(session) == code


async def test_an_answer_that_is_too_large_is_not_kept() -> None:
    """Reading stops at the limit."""

    async def answer(_body: bytes, _headers: dict[bytes, bytes]) -> Answer:
        return 200, {}, b" " * 100_000

    async with http(answer, answer_max_bytes=50_000) as session:
        assert await failing(session) == "upstream-answer-wrong"


def response(**outputs: tuple[str, list[int], bytes]) -> bytes:
    """A response with these raw outputs."""
    message = ModelInferResponse(model_name="m")
    for name, (datatype, shape, raw) in outputs.items():
        message.outputs.add(name=name, datatype=datatype, shape=shape)
        message.raw_output_contents.append(raw)
    return message.SerializeToString()


GOOD_Y, GOOD_T = ("FP32", [1, 2], bytes(8)), ("BYTES", [1], b"\1\0\0\0a")


async def test_tensors_travel_raw_over_grpc() -> None:
    """The request has raw contents in the order of its inputs, and names the outputs that are wanted."""
    seen: list[ModelInferRequest] = []

    async def answer(body: bytes) -> bytes:
        seen.append(ModelInferRequest.FromString(body))
        return response(t=GOOD_T, y=GOOD_Y)

    async with spoken(answer) as session:
        outputs = await session.infer(FEEDS)
    assert (outputs["y"].tolist(), outputs["t"].tolist()) == ([[0, 0]], ["a"])
    assert list(seen[0].raw_input_contents) == [FEEDS["x"].tobytes()]
    assert [each.name for each in seen[0].outputs] == ["y", "t"]


@pytest.mark.parametrize(
    "body",
    [
        b"\xff" * 20,
        response(y=GOOD_Y),
        response(y=("FP32", [1, 2], bytes(7)), t=GOOD_T),
        response(y=("FP64", [1, 1], bytes(8)), t=GOOD_T),
        response(y=("FP32", [-1, 2], bytes(8)), t=GOOD_T),
        response(y=("FP32", [2**62, 2], bytes(8)), t=GOOD_T),
        response(y=GOOD_Y, t=("BYTES", [1], b"\xff\0\0\0a")),
        response(y=GOOD_Y, t=("BF16", [1], b"ab")),
        response(y=GOOD_Y, t=GOOD_T)[:-1],
    ],
)
async def test_wrong_answers_over_grpc(body: bytes) -> None:
    """Garbage, missing outputs, other datatypes, sizes that do not fit: none of it becomes an answer."""

    async def answer(_body: bytes) -> bytes:
        return body

    async with spoken(answer) as session:
        assert await failing(session) == "upstream-answer-wrong"


async def test_a_server_that_does_not_answer_is_waited_for_no_longer_than_allowed() -> None:
    """The time is bounded; after some failures nobody is let through, and a hurried caller counts for nothing."""
    asked, never = 0, asyncio.Event()

    async def answer(_body: bytes) -> bytes:
        nonlocal asked
        asked += 1
        await never.wait()
        return b""

    async with spoken(answer, within_s=0.2) as session:
        for _ in range(FAILURES):
            assert await failing(session, within_s=0.05) == "upstream-too-slow"
        assert session.state == "up"
        for _ in range(FAILURES):
            assert await failing(session) == "upstream-too-slow"
        assert (await failing(session), session.state.startswith("down")) == ("upstream-unavailable", True)
        assert asked == 2 * FAILURES
        never.set()


async def test_nobody_listens() -> None:
    """A connection that cannot be made is the server's failure, over either protocol."""
    with bind("127.0.0.1:0", "test") as listener:
        place = address_of(listener)
    for scheme in ("http", "grpc"):
        async with opened(f"{scheme}://{place}") as session:
            assert await failing(session) == "upstream-unavailable"


async def test_a_run_beside_the_loop_can_be_ended() -> None:
    """A thread that runs the model for a shadow gets the outputs, and comes back when it is told to stop."""
    never = asyncio.Event()
    begun = asyncio.Event()

    async def answer(_body: bytes) -> bytes:
        if begun.is_set():
            await never.wait()
        begun.set()
        return response(y=GOOD_Y, t=GOOD_T)

    async with spoken(answer) as session:
        outputs = await asyncio.to_thread(session.run, FEEDS, ["y"])
        assert list(outputs) == ["y"]
        stop = Stop()
        running = asyncio.create_task(asyncio.to_thread(session.run, FEEDS, None, stop))
        stop.now()
        with pytest.raises(ModelFailed):
            await running
        never.set()


@asynccontextmanager
async def echoing(size: int) -> AsyncIterator[UpstreamSession]:
    """A session on a server that reads a request piece by piece, keeps nothing, and sends `y` of so many bytes."""
    shape = [size // 8, 2]
    outputs = [y(shape=shape, data=None, parameters={"binary_data_size": size}), TEXTS]
    del outputs[0]["data"]
    said = told(*outputs)
    head = (
        f"HTTP/1.1 200 OK\r\nInference-Header-Content-Length: {len(said)}\r\ncontent-length: {len(said) + size}\r\n\r\n"
    )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (b'{"extensions": ["binary_tensor_data"]}', said):
            fields = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            left = int(fields.partition("content-length: ")[2].partition("\r\n")[0] or 0)
            while left:
                left -= len(await reader.read(min(left, 65_536)))
            if answer is said:
                writer.write(head.encode() + said)
                for _ in range(size // 65_536):
                    writer.write(bytes(65_536))
                    await writer.drain()
            else:
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(answer)}\r\n\r\n".encode() + answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with opened(f"http://127.0.0.1:{port}") as session:
            yield session


async def test_a_large_tensor_is_written_from_where_it_lies_and_read_to_where_it_stays() -> None:
    """Memory is taken once for the answer, and none for the request."""
    size = 8 * 1024 * 1024
    feeds = {"x": np.ones((size // 8, 2), np.float32)}
    async with echoing(size) as session:
        tracemalloc.start()
        try:
            outputs = await session.infer(feeds)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert outputs["y"].nbytes == size
    assert outputs["y"].flags.aligned
    assert peak < 1.3 * size


class Wire:
    """A server that counts connections and requests, and hangs up on the requests that it is told to."""

    def __init__(self) -> None:
        self.connections, self.requests = 0, 0
        self.hang_up = False
        self.together = 1
        self.all_here = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0] or 0))
                said = await self._answer(head)
                if said is None:
                    break
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(said)}\r\n\r\n".encode() + said)
        writer.close()

    async def _answer(self, head: str) -> bytes | None:
        if "/infer" not in head:
            return b'{"extensions": []}'
        self.requests += 1
        if self.requests == self.together:
            self.all_here.set()
        await self.all_here.wait()
        return None if self.hang_up else told(y(), TEXTS)


@pytest.fixture
async def wire() -> AsyncIterator[tuple[Wire, UpstreamSession]]:
    """Such a server, and a session on it."""
    served = Wire()
    server = await asyncio.start_server(served, "127.0.0.1", 0)
    async with server, opened(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as session:
        yield served, session


async def test_connections_are_kept_and_used_again(wire: tuple[Wire, UpstreamSession]) -> None:
    """Calls at the same time have one each; those after them need no further one."""
    served, session = wire
    served.together = 4
    await asyncio.gather(*(session.infer(FEEDS) for _ in range(served.together)))
    most = served.connections
    for _ in range(6):
        await session.infer(FEEDS)
    assert (served.requests, served.connections) == (10, most)
    assert most <= 2 * served.together


async def test_what_may_have_reached_the_server_is_not_sent_again(wire: tuple[Wire, UpstreamSession]) -> None:
    """A server that hangs up in the middle of a call has one request, and the caller an error that says nothing else;
    the next call has a connection of its own."""
    served, session = wire
    served.hang_up = True
    with pytest.raises(UpstreamUnavailable) as caught:
        await session.infer(FEEDS)
    assert (served.requests, caught.value.unread) == (1, False)
    served.hang_up = False
    assert list(await session.infer(FEEDS)) == ["y", "t"]


async def test_a_call_that_broke_over_grpc_is_not_sent_again_and_its_time_is_told() -> None:
    """The server sees one call, and how long the caller waits at most."""
    left: list[float] = []

    async def infer(_request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        left.append(context.time_remaining())
        await context.abort(grpc.StatusCode.UNAVAILABLE, "going away")
        return b""

    server = grpc.aio.server()
    methods = {"ModelInfer": grpc.unary_unary_rpc_method_handler(infer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("inference.GRPCInferenceService", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with opened(f"grpc://127.0.0.1:{port}") as session:
        assert await failing(session, within_s=9.0) == "upstream-unavailable"
    await server.stop(None)
    [seconds] = left
    assert 0 < seconds <= 9.5
