"""The three ways on which tensors travel: JSON, binary data behind it, and gRPC. What goes in and comes out is one."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import grpc
import httpx
import numpy as np

from tests.acceptance.rpc import Inputs, Rpc, outputs, refused
from tests.acceptance.scene import Scene
from tests.acceptance.tensors import DTYPES, KINDS_CARD, Array, read, some, written
from tests.models import every_datatype, zipmap_classifier
from tests.shapes import BOUNDS_CARD, RECURRENT_CARD, ZIPMAP_CARD, bounds, recurrent


class Shaped(NamedTuple):
    """A model with its card, and something that it takes."""

    model: Callable[[], bytes]
    card: str
    feed: Inputs


def kinds(shape: tuple[int, int], seed: int = 0) -> Inputs:
    """Inputs of the model `each-kind`."""
    return {f"in_{name}": (name, some(name, shape, seed)) for name in DTYPES}


def typed(shape: tuple[int, int], seed: int = 0) -> Inputs:
    """Inputs of the model `each-typed`: all that typed contents have a field for."""
    return {name: each for name, each in kinds(shape, seed).items() if name != "in_FP16"}


def tokens(ids: object, state: object = None, threshold: float = 0.5) -> Inputs:
    """Inputs of the model `recurrent`."""
    array = np.array(ids, np.int64)
    before = np.zeros((1, len(array), 4)) if state is None else np.asarray(state)
    return {
        "ids": ("INT64", array),
        "state": ("FP16", before.astype(np.float16)),
        "threshold": ("FP32", np.array(threshold, np.float32)),
    }


def numbers(*values: float) -> Inputs:
    """Inputs of the models `bounds` and `lenient-bounds`."""
    return {"x": ("FP32", np.array(values, np.float32))}


def texts(*values: str) -> Inputs:
    """Inputs of the model `zipped`."""
    return {"text": ("BYTES", np.array(values, object))}


SHAPED = {
    "each-kind": Shaped(every_datatype, KINDS_CARD, kinds((1, 1))),
    "each-typed": Shaped(partial(every_datatype, "FP16"), KINDS_CARD, typed((1, 1))),
    "recurrent": Shaped(recurrent, RECURRENT_CARD, tokens([[1]])),
    "bounds": Shaped(bounds, BOUNDS_CARD, numbers(1)),
    "lenient-bounds": Shaped(bounds, BOUNDS_CARD.replace('"score"', '"score"\nnot_finite = "null"'), numbers(1)),
    "zipped": Shaped(zipmap_classifier, ZIPMAP_CARD, texts("good")),
}
"""Models of every shape and datatype."""
Way = Literal["JSON", "binary", "gRPC"]
WAYS: tuple[Way, ...] = ("JSON", "binary", "gRPC")


class Ways:
    """A service that asks a model in any of the three ways, with whichever key."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.client = scene.server.client(scene.caller)
        self.rpc = Rpc(f"127.0.0.1:{scene.server.grpc_port}")

    def close(self) -> None:
        """End the connections."""
        self.client.close()
        self.rpc.close()

    def answers(self, model: str, feed: Inputs) -> bool:
        """Whether it answers by itself; what was held instead is withdrawn, so that no test finds a case of ours."""
        body, headers = written(feed, frozenset())
        asked = self.client.post(
            f"/v2/models/{model}/infer", content=body, headers=headers | {"Prefer": "respond-async"}
        )
        if asked.status_code == httpx.codes.ACCEPTED:
            self.client.delete(asked.headers["Location"])
        return asked.status_code == httpx.codes.OK

    def post(self, way: Way, model: str, inputs: Inputs, **fields: Any) -> httpx.Response:
        """The answer over HTTP, whatever it is; who asks in binary wants binary."""
        fields = fields if way == "JSON" else {"parameters": {"binary_data_output": True}, **fields}
        body, headers = written(inputs, frozenset() if way == "JSON" else None, **fields)
        return self.client.post(f"/v2/models/{model}/infer", content=body, headers=headers | {"Prefer": "wait=0"})

    def ask(self, way: Way, model: str, inputs: Inputs) -> dict[str, Array]:
        """The outputs by name."""
        if way == "gRPC":
            message = self.rpc.inference(model, inputs)
            return outputs(self.rpc.call("ModelInfer", message, key=self.scene.caller, prefer="wait=0"))
        answer = self.post(way, model, inputs)
        assert answer.status_code == 200, answer.text
        return read(answer)[1]

    def refusal(self, way: Way, model: str, inputs: Inputs) -> str:
        """The code of the error that is told instead of an answer."""
        if way == "gRPC":
            try:
                self.rpc.call("ModelInfer", self.rpc.inference(model, inputs), key=self.scene.caller, prefer="wait=0")
            except grpc.RpcError as error:
                return refused(error)[1]
            message = "there is an answer"
            raise AssertionError(message)
        answer = self.post(way, model, inputs)
        assert answer.status_code >= 400, answer.text
        return code_of(answer)


def code_of(answer: httpx.Response) -> str:
    """The code of an error."""
    kind: str = answer.json()["type"]
    return kind.rpartition("#")[2]
