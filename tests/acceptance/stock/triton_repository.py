"""Loading and unloading by the stock Triton client: `triton_repository.py HOST:PORT KEY MODEL`; what it saw, as JSON.

It runs in an environment that holds the client and nothing of ours.
"""

import json
import sys
from collections.abc import Callable

from tritonclient.http import InferenceServerClient
from tritonclient.utils import InferenceServerException


def said(call: Callable[[], object]) -> str:
    """The error that the client's user sees, or nothing."""
    try:
        call()
    except InferenceServerException as error:
        return f"{error.status()} {error.message()}"
    return ""


def main(address: str, key: str, model: str) -> dict[str, str]:
    """What the client's user sees."""
    headers = {"Authorization": f"Bearer {key}"}
    client = InferenceServerClient(address, network_timeout=60.0)
    return {
        "load": said(lambda: client.load_model(model, headers=headers)),
        "file": said(lambda: client.load_model(model, headers=headers, config="{}", files={"file:1/model.onnx": b"x"})),
        "unload": said(lambda: client.unload_model(model, headers=headers)),
        "unknown": said(lambda: client.load_model("nothing-like-it", headers=headers)),
    }


print(json.dumps(main(*sys.argv[1:])))
