"""The stock KServe client over gRPC: `kserve_grpc.py HOST:PORT KEY KINDS TYPED SIMPLE`; the last line is JSON.

KINDS gives every datatype back, TYPED all but FP16, SIMPLE adds and subtracts. It runs in an environment that holds the
client and nothing of ours.
"""

import asyncio
import json
import sys

import grpc
import numpy as np
from kserve import InferenceGRPCClient, InferInput, InferRequest
from kserve.utils.numpy_codec import to_np_dtype

NUMBERS = ("UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64")
KINDS = ("BOOL", *NUMBERS, "BYTES")


async def main(address: str, key: str, kinds: str, typed: str, simple: str) -> dict[str, object]:
    """What came back of raw tensors and of typed contents, and what a wrong key is told."""
    headers = (("authorization", f"Bearer {key}"),)
    async with InferenceGRPCClient(address, timeout=60) as client:
        ready = [await client.is_server_live(), await client.is_server_ready()]
        ready.append(await client.is_model_ready(kinds, headers=headers))
        arrays = {kind: array(kind) for kind in KINDS}
        count, wrong = 0, []
        for model, raw in ((kinds, True), (typed, False)):
            inputs = [tensor(f"in_{each}", each, arrays[each], raw=raw) for each in KINDS if raw or each != "FP16"]
            result = await client.infer(InferRequest(model, inputs), headers=headers)
            count += len(result.outputs)
            for output in result.outputs:
                if output.name != "score":
                    got, sent = output.as_numpy(), arrays[output.name[4:]]
                    same = [_text(each) for each in got.ravel()] == [_text(each) for each in sent.ravel()]
                    wrong += [] if same and list(got.shape) == [1, 2] else [f"{raw} {output.name}: {got!r}"]
        rows = [np.arange(16, dtype=np.int32).reshape(1, 16), np.full((1, 16), 2, np.int32)]
        inputs = [tensor(f"INPUT{index}", "INT32", row, raw=False) for index, row in enumerate(rows)]
        answer = await client.infer(InferRequest(simple, inputs), headers=headers)
        found = {each.name: each.as_numpy() for each in answer.outputs}
        right = np.array_equal(found["OUTPUT0"], rows[0] + 2) and np.array_equal(found["OUTPUT1"], rows[0] - 2)
        try:
            await client.infer(InferRequest(simple, inputs), headers=(("authorization", "Bearer lg_none"),))
            refused = ""
        except grpc.RpcError as error:
            refused = error.code().name
    return {"outputs": count, "wrong": wrong, "right": bool(right), "ready": ready, "refused": refused}


def tensor(name: str, kind: str, values: np.ndarray, *, raw: bool) -> InferInput:
    """An input."""
    made = InferInput(name, list(values.shape), kind)
    made.set_data_from_numpy(values, binary_data=raw)
    return made


def array(kind: str) -> np.ndarray:
    """Two elements of a datatype."""
    return np.array([["a é", "b"]], object) if kind == "BYTES" else np.array([[0, 1]]).astype(to_np_dtype(kind))


def _text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
