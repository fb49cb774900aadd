"""Every datatype by the stock KServe client: `kserve_tensors.py HOST:PORT KEY MODEL`; what it saw, as JSON.

It runs in an environment that holds the client and nothing of ours.
"""

import asyncio
import itertools
import json
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.utils.numpy_codec import to_np_dtype

KINDS = (
    "BOOL",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "FP16",
    "FP32",
    "FP64",
    "BYTES",
)


async def main(address: str, key: str, model: str) -> dict[str, object]:
    """What came back otherwise than it went, for tensors as binary data and as JSON, each way, and the other verbs."""
    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=60))
    wrong, count = [], 0
    base, headers = f"http://{address}", {"Authorization": f"Bearer {key}"}
    ready = [await client.is_server_live(base), await client.is_server_ready(base)]
    ready.append(await client.is_model_ready(base, model, headers=headers))
    for binary, told in itertools.product((True, False), (True, False)):
        arrays, inputs = {}, []
        for kind in KINDS:
            array = (
                np.array([["a é", "b"]], object) if kind == "BYTES" else np.array([[0, 1]]).astype(to_np_dtype(kind))
            )
            arrays[kind] = array
            inputs.append(InferInput(f"in_{kind}", [1, 2], kind))
            # The client itself has no JSON for FP16.
            inputs[-1].set_data_from_numpy(array, binary_data=binary or kind == "FP16")
        wanted = InferRequest(model, inputs, parameters={"binary_data_output": told})
        result = await client.infer(base, wanted, model_name=model, headers=headers)
        for output in result.outputs:
            if output.name != "score":
                count += 1
                got, sent = output.as_numpy(), arrays[output.name[4:]]
                same = [_text(each) for each in got.ravel()] == [_text(each) for each in sent.ravel()]
                wrong += [] if same and list(got.shape) == [1, 2] else [f"{binary} {told} {output.name}: {got!r}"]
    return {"outputs": count, "wrong": wrong, "ready": ready}


def _text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
