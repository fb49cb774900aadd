"""How good a model is on the items that it has never seen, measured on the ONNX file itself."""

from collections.abc import Sequence

import msgspec
import numpy as np
import onnxruntime as ort

from demo.items import Item

DOUBTFUL_BELOW = 0.6
DTYPES = {"BYTES": np.object_, "FP32": np.float32, "INT64": np.int64}


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Shares from 0 to 1 over `items` held-out items; doubtful means that the confidence is below 0.6.

    `doubtful_accuracy` is null where nothing was doubtful.
    """

    items: int
    accuracy: float
    doubtful_share: float
    doubtful_accuracy: float | None
    confident_accuracy: float | None


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What a model says of one item; `largest` is the position of the class with the largest probability."""

    label: str
    confidence: float
    largest: int


def figures(model: bytes, items: Sequence[Item]) -> Figures:
    """The figures of `model` on `items`."""
    predictions = predict(model, items)
    right = np.array([each.label == item.truth for each, item in zip(predictions, items, strict=True)])
    doubtful = np.array([each.confidence < DOUBTFUL_BELOW for each in predictions])
    return Figures(
        items=len(items),
        accuracy=float(right.mean()),
        doubtful_share=float(doubtful.mean()),
        doubtful_accuracy=_mean(right[doubtful]),
        confident_accuracy=_mean(right[~doubtful]),
    )


def predict(model: bytes, items: Sequence[Item]) -> tuple[Prediction, ...]:
    """One prediction an item, from one run over all of them."""
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    labels, probabilities = session.run(["label", "probabilities"], batch(items))
    answers = zip(np.asarray(labels).tolist(), np.asarray(probabilities), strict=True)
    return tuple(
        Prediction(label=str(label), confidence=float(row.max()), largest=int(row.argmax())) for label, row in answers
    )


def batch(items: Sequence[Item]) -> dict[str, np.ndarray]:
    """Each input of the items stacked along the first axis, as onnxruntime is fed."""
    columns = zip(*(item.inputs for item in items), strict=True)
    return {
        column[0].name: np.array([cell.data for cell in column], dtype=DTYPES[column[0].datatype]) for column in columns
    }


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if values.size else None
