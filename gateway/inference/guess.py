"""What the card of a new model probably says, for its owner to confirm. PURE."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from gateway.inference.report import AdmissionReport, Meaning, OutputFinding
from gateway.protocol.signature import Signature, TensorSpec

Shown = Literal["text", "image", "table", "json"]

_IMAGE_RANK = 4
_CHANNELS = (1, 3, 4)
_TABLE_RANK_MAX = 2


class ModelGuess(msgspec.Struct, frozen=True, kw_only=True):
    """Guesses for a card; None and empty where there is nothing to go by.

    `answer` and `confidence` name outputs. `classes` is the class order of the confidence output, which only the owner
    can vouch for. `shown` is how the inputs might be put before a person.
    """

    answer: str | None
    confidence: str | None
    confidence_meaning: Meaning | None
    classes: tuple[str, ...]
    batch_axis: int | None
    shown: Shown


def guess(report: AdmissionReport) -> ModelGuess:
    """The guesses that an admission report supports.

    The answer is the output that holds labels, else the confidences, else the first output. The confidence comes from
    rows that sum to 1, else from one probability an item, else from several scores.
    """
    outputs = report.probe.outputs
    confidence = _first(outputs, ("probabilities", "probability", "scores"))
    answer = _first(outputs, ("label",)) or confidence or next(iter(outputs), None)
    return ModelGuess(
        answer=answer.name if answer else _first_output(report.signature),
        confidence=confidence.name if confidence else None,
        confidence_meaning=confidence.meaning if confidence else None,
        classes=_classes(report, confidence),
        batch_axis=_batch_axis(report.signature, outputs),
        shown=_shown(report.signature.inputs),
    )


def _first(outputs: Iterable[OutputFinding], meanings: tuple[Meaning, ...]) -> OutputFinding | None:
    """The first output of the first meaning that any output has."""
    by_meaning = {output.meaning: output for output in reversed(tuple(outputs)) if output.per_item}
    return next((by_meaning[meaning] for meaning in meanings if meaning in by_meaning), None)


def _first_output(signature: Signature) -> str | None:
    """The first output of a model that the probe could not run."""
    return signature.outputs[0].name if signature.outputs else None


def _classes(report: AdmissionReport, confidence: OutputFinding | None) -> tuple[str, ...]:
    """The labels inside the graph, if they are as many as the columns of the confidences."""
    if confidence is None:
        return report.class_labels
    spec = next(spec for spec in report.signature.outputs if spec.name == confidence.name)
    fits = confidence.meaning == "probability" or spec.shape[-1] in (-1, len(report.class_labels))
    return report.class_labels if fits else ()


def _batch_axis(signature: Signature, outputs: Iterable[OutputFinding]) -> int | None:
    """The first axis where inputs have one and every output follows it; a scalar model has none."""
    has_axis = all(spec.shape for spec in signature.inputs)
    return 0 if has_axis and all(output.per_item for output in outputs) else None


def _shown(inputs: tuple[TensorSpec, ...]) -> Shown:
    """Text for a single text input, an image for pixels with channels, a table for columns, else JSON."""
    if len(inputs) == 1 and inputs[0].datatype == "BYTES":
        return "text"
    if len(inputs) == 1 and _is_image(inputs[0]):
        return "image"
    return "table" if all(len(spec.shape) <= _TABLE_RANK_MAX for spec in inputs) else "json"


def _is_image(spec: TensorSpec) -> bool:
    """Whether the shape is that of images, channels first or last."""
    return len(spec.shape) == _IMAGE_RANK and (spec.shape[1] in _CHANNELS or spec.shape[-1] in _CHANNELS)
