"""One call by the stock KServe client: `kserve_caller.py HOST:PORT KEY MODEL PREFER NUMBER…`; what it saw, as JSON.

It runs in an environment that holds the client and nothing of ours.
"""

import asyncio
import json
import sys

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig


async def main(address: str, key: str, model: str, prefer: str, *numbers: str) -> dict[str, object]:
    """What the client's user sees."""
    headers = {"Authorization": f"Bearer {key}"} | ({"Prefer": prefer} if prefer else {})
    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=60))
    base = f"http://{address}"
    ready = await client.is_model_ready(base, model, headers=headers)
    rows = np.array([float(number) for number in numbers], dtype=np.float32).reshape(-1, 4)
    tensor = InferInput("x", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows, binary_data=False)
    try:
        result = await client.infer(base, InferRequest(model, [tensor]), model_name=model, headers=headers)
    except httpx.HTTPStatusError as error:
        return {"error": str(error), "status": str(error.response.status_code), "ready": ready}
    found = [output.as_numpy().argmax(axis=1).tolist() for output in result.outputs if output.name == "probabilities"]
    return {"argmax": found[0] if found else None, "parameters": result.parameters, "ready": ready}


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
