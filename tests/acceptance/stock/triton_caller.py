"""One call by the stock Triton client: `triton_caller.py HOST:PORT KEY MODEL PREFER NUMBER…`; what it saw, as JSON.

It runs in an environment that holds the client and nothing of ours.
"""

import json
import sys

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException


def main(address: str, key: str, model: str, prefer: str, *numbers: str) -> dict[str, object]:
    """What the client's user sees."""
    headers = {"Authorization": f"Bearer {key}"} | ({"Prefer": prefer} if prefer else {})
    client = InferenceServerClient(address, network_timeout=60.0, connection_timeout=60.0)
    metadata = client.get_model_metadata(model, headers=headers)
    rows = np.array([float(number) for number in numbers], dtype=np.float32).reshape(-1, 4)
    tensor = InferInput(metadata["inputs"][0]["name"], list(rows.shape), metadata["inputs"][0]["datatype"])
    tensor.set_data_from_numpy(rows, binary_data=False)
    try:
        result = client.infer(model, [tensor], headers=headers)
    except InferenceServerException as error:
        return {"error": error.message(), "status": error.status()}
    said = result.get_response()
    return {"argmax": result.as_numpy("probabilities").argmax(axis=1).tolist(), "parameters": said["parameters"]}


print(json.dumps(main(*sys.argv[1:])))
