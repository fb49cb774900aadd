"""Triton's own example of its `simple` model, over HTTP and gRPC: `triton_simple.py HTTP GRPC KEY MODEL`.

What each client computed and what it was told of a model that is not there, as JSON. It runs in an environment that
holds the client and nothing of ours.
"""

import json
import sys
from types import ModuleType
from typing import Any

import numpy as np
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException


def answer(client: ModuleType, address: str, key: str, model: str) -> dict[str, Any]:
    """Sum and difference of two rows of sixteen numbers."""
    headers = {"authorization": f"Bearer {key}"}
    server = client.InferenceServerClient(address)
    first, second = np.arange(16, dtype=np.int32).reshape(1, 16), np.full((1, 16), -1, np.int32)
    inputs = [client.InferInput("INPUT0", [1, 16], "INT32"), client.InferInput("INPUT1", [1, 16], "INT32")]
    inputs[0].set_data_from_numpy(first)
    inputs[1].set_data_from_numpy(second)
    wanted = [client.InferRequestedOutput("OUTPUT0"), client.InferRequestedOutput("OUTPUT1")]
    found = server.infer(model, inputs, outputs=wanted, headers=headers)
    try:
        server.infer("wrong_model_name", inputs, headers=headers)
        refused = ""
    except InferenceServerException as error:
        refused = error.message()
    return {
        "right": bool(
            np.array_equal(found.as_numpy("OUTPUT0"), first + second)
            and np.array_equal(found.as_numpy("OUTPUT1"), first - second)
        ),
        "refused": refused,
    }


def main(http: str, grpc: str, key: str, model: str) -> dict[str, object]:
    """What the clients saw."""
    by_http = answer(tritonclient.http, http, key, model)
    return {"http": by_http, "grpc": answer(tritonclient.grpc, grpc, key, model)}


print(json.dumps(main(*sys.argv[1:])))
