"""Every verb of the four stock Triton clients: `triton_verbs.py HTTP GRPC KEY OPERATOR MODEL`; the last line is JSON.

Each public method of a client has to be in a table here, so that none is left out. MODEL takes `x` FP32 [n] and gives
`score`. It runs in an environment that holds the client and nothing of ours.
"""

import asyncio
import contextlib
import inspect
import json
import queue
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import tritonclient.grpc
import tritonclient.grpc.aio
import tritonclient.http
import tritonclient.http.aio
from grpc import RpcError
from tritonclient.utils import InferenceServerException

Verbs = dict[str, Callable[[], Any]]
AT_HOME = {"close", "plugin", "register_plugin", "unregister_plugin", "generate_request_body", "parse_response_body"}
"""Those that ask no server."""
STREAMS = {"start_stream", "stop_stream", "async_stream_infer"}
"""Those that `stream_infer` stands for here."""


def request(client: ModuleType, model: str) -> dict[str, Any]:
    """The arguments of `infer`, with all that a caller may say beside the tensors."""
    tensor = client.InferInput("x", [2], "FP32")
    tensor.set_data_from_numpy(np.array([1, 2], np.float32))
    wanted = [client.InferRequestedOutput("score")]
    said = {"request_id": "r-7", "priority": 1, "timeout": 50_000_000, "parameters": {"user_id": "u-1"}}
    return {"model_name": model, "model_version": "1", "inputs": [tensor], "outputs": wanted, **said}


def told(result: Any) -> str:
    """What an answer says: right, if it is."""
    said = result.get_response()
    named = said["id"] if isinstance(said, dict) else said.id
    right = np.allclose(result.as_numpy("score"), 1 / (1 + np.exp([-1, -2])))
    return "right" if right and named == "r-7" else f"{named}: {result.as_numpy('score')}"


def verbs(client: Any, model: str, caller: dict[str, str], operator: dict[str, str]) -> Verbs:
    """What both protocols and both kinds of client have."""
    called, operated = {"headers": caller}, {"headers": operator}
    shared = {"name": "region", "byte_size": 8}
    return {
        "is_server_live": lambda: client.is_server_live(**called),
        "is_server_ready": lambda: client.is_server_ready(**called),
        "is_model_ready": lambda: client.is_model_ready(model, "1", **called),
        "get_server_metadata": lambda: client.get_server_metadata(**called),
        "get_model_metadata": lambda: client.get_model_metadata(model, "1", **called),
        "get_model_config": lambda: client.get_model_config(model, "1", **called),
        "get_model_repository_index": lambda: client.get_model_repository_index(**called),
        "get_inference_statistics": lambda: client.get_inference_statistics(model, "1", **called),
        "load_model": lambda: client.load_model(model, **operated),
        "unload_model": lambda: client.unload_model(model, **operated),
        "get_trace_settings": lambda: client.get_trace_settings(model, **called),
        "update_trace_settings": lambda: client.update_trace_settings(settings={"trace_rate": "1"}, **called),
        "get_log_settings": lambda: client.get_log_settings(**called),
        "update_log_settings": lambda: client.update_log_settings({"log_info": True}, **called),
        "get_system_shared_memory_status": lambda: client.get_system_shared_memory_status(**called),
        "register_system_shared_memory": lambda: client.register_system_shared_memory(key="/k", **shared, **called),
        "unregister_system_shared_memory": lambda: client.unregister_system_shared_memory(**called),
        "get_cuda_shared_memory_status": lambda: client.get_cuda_shared_memory_status("region", **called),
        "register_cuda_shared_memory": lambda: client.register_cuda_shared_memory(
            raw_handle=b"aGFuZGxl", device_id=0, **shared, **called
        ),
        "unregister_cuda_shared_memory": lambda: client.unregister_cuda_shared_memory("region", **called),
    }


def streamed(client: Any, asked: dict[str, Any], headers: dict[str, str]) -> Any:
    """What a stream of the synchronous client brings first."""
    came: queue.Queue[Any] = queue.Queue()
    client.start_stream(lambda result, error: came.put(error or result), headers=headers)
    try:
        with contextlib.suppress(InferenceServerException):  # the stream may have ended already, and then says why
            client.async_stream_infer(**asked)
        first = came.get(timeout=30)
    finally:
        client.stop_stream()
    if isinstance(first, Exception):
        raise first
    return told(first)


def called_back(client: Any, asked: dict[str, Any], headers: dict[str, str]) -> Any:
    """What `async_infer` over gRPC calls back with."""
    came: queue.Queue[Any] = queue.Queue()
    client.async_infer(callback=lambda result, error: came.put(error or told(result)), headers=headers, **asked)
    return came.get(timeout=30)


def plain(result: object) -> str:
    """A result as a word."""
    return result if isinstance(result, str) else "false" if result is False else "answered"


async def outcome(verb: Callable[[], Any]) -> str:
    """What became of a call."""
    try:
        result = verb()
        return plain(await result if inspect.isawaitable(result) else result)
    except InferenceServerException as error:
        return f"{error.status()}: {error.message()}"


async def first_of(stream: Any) -> str:
    """What a stream of the asynchronous client brings first."""
    try:
        async for result, error in stream:
            return str(error) if error is not None else told(result)
    except RpcError as error:  # this client does not make its own exception of it
        return f"{error.code()}: {error.details()}"
    return "nothing"


async def one(asked: dict[str, Any]) -> Any:
    """A stream of one request."""
    yield asked


async def seen_by(client: Any, table: Verbs) -> dict[str, str]:
    """What became of each verb, and of those that stand in no table."""
    left_out = {name for name in dir(client) if not name.startswith("_")} - table.keys() - AT_HOME - STREAMS
    return {name: await outcome(verb) for name, verb in table.items()} | dict.fromkeys(left_out, "left out")


async def main(http: str, grpc: str, key: str, operator: str, model: str) -> dict[str, dict[str, str]]:
    """What became of each verb, by client."""
    caller, by = {"authorization": f"Bearer {key}"}, {"authorization": f"Bearer {operator}"}
    found = {}
    asked = request(tritonclient.http, model)
    plain_http = tritonclient.http.InferenceServerClient(http, network_timeout=60.0)
    table = verbs(plain_http, model, caller, by) | {
        "infer": lambda: told(plain_http.infer(headers=dict(caller), query_params={"a": "b"}, **asked)),
        "async_infer": lambda: told(plain_http.async_infer(headers=dict(caller), **asked).get_result()),
    }
    found["http"] = await seen_by(plain_http, table)
    async with tritonclient.http.aio.InferenceServerClient(http) as aio_http:

        async def infer() -> str:
            return told(await aio_http.infer(headers=dict(caller), **asked))

        found["http.aio"] = await seen_by(aio_http, verbs(aio_http, model, caller, by) | {"infer": infer})
    asked_rpc = request(tritonclient.grpc, model)
    plain_grpc = tritonclient.grpc.InferenceServerClient(grpc)
    table = verbs(plain_grpc, model, caller, by) | {
        "infer": lambda: told(plain_grpc.infer(headers=caller, client_timeout=60, **asked_rpc)),
        "async_infer": lambda: called_back(plain_grpc, asked_rpc, caller),
        "stream_infer": lambda: streamed(plain_grpc, asked_rpc, caller),
    }
    found["grpc"] = await seen_by(plain_grpc, table)
    async with tritonclient.grpc.aio.InferenceServerClient(grpc) as aio_grpc:

        async def infer_rpc() -> str:
            return told(await aio_grpc.infer(headers=caller, **asked_rpc))

        table = verbs(aio_grpc, model, caller, by) | {
            "infer": infer_rpc,
            "stream_infer": lambda: first_of(aio_grpc.stream_infer(one(asked_rpc), headers=caller)),
        }
        found["grpc.aio"] = await seen_by(aio_grpc, table)
    return found


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
