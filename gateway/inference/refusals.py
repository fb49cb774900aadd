"""Why a model file is not admitted, each with what to do about it (docs/admission.md lists them all)."""

from collections.abc import Iterator

from gateway.errors import GatewayError


class AdmissionRefused(GatewayError):
    """The model file cannot be admitted."""

    status = 422
    code = "admission-refused"


class FileTooLarge(AdmissionRefused):
    """The file has {bytes} bytes, and at most {limit} are admitted. Quantise or prune the model, or raise the limit."""

    code = "model-file-too-large"


class NotOnnx(AdmissionRefused):
    """The file is not an ONNX model, or it is cut off. Export it again with onnx.save or skl2onnx.to_onnx."""

    code = "not-onnx"


class ExternalData(AdmissionRefused):
    """The weights of '{tensor}' lie outside the file. Save the model as one file: onnx.save(onnx.load("model.onnx"),
    "whole.onnx", save_as_external_data=False).
    """

    code = "external-data"


class UnknownOperator(AdmissionRefused):
    """The operator '{operator}' does not exist in operator set {opset} of ONNX. Export with standard operators only."""

    code = "unknown-operator"


class UnknownDomain(AdmissionRefused):
    """The operator '{operator}' belongs to '{domain}', a library that is not loaded here. Export the model with
    operators of ai.onnx, ai.onnx.ml or com.microsoft, or bring the step into the code that calls the model.
    """

    code = "unknown-domain"


class OpsetTooNew(AdmissionRefused):
    """The model is written in operator set {opset} of '{domain}', newer than the runtime here knows. Export it with
    target_opset={supported} or lower.
    """

    code = "opset-too-new"


class NoInputs(AdmissionRefused):
    """The model takes no input, so its answer could never change. Export it with its features as inputs."""

    code = "no-inputs"


class NoOutputs(AdmissionRefused):
    """The model gives no output. Export it with its predictions as outputs."""

    code = "no-outputs"


class UnfeedableInput(AdmissionRefused):
    """Input '{tensor}' is of type {type}, which cannot be fed. Export with FP32 or FP16 inputs (put a Cast behind
    them).
    """

    code = "unfeedable-input"


class StructuredInput(AdmissionRefused):
    """Input '{tensor}' is a {type}, and only tensors can be fed. Export the model with one tensor an input."""

    code = "structured-input"


class UndeclaredShape(AdmissionRefused):
    """Input '{tensor}' declares no shape, so requests could not be checked. Declare its dimensions when you export;
    free ones may be None.
    """

    code = "undeclared-shape"


class OversizedInput(AdmissionRefused):
    """Input '{tensor}' declares a shape that no request can bring: at most {dimensions} dimensions and {elements}
    elements are taken. Export it with free dimensions where they are meant to vary.
    """

    code = "oversized-input"


class TooManyNodes(AdmissionRefused):
    """The graph has more than {limit} nodes, those of its functions counted wherever they are called. Simplify the
    model (onnxsim, or a coarser export), or serve it on an upstream.
    """

    code = "too-many-nodes"


class ZipmapOutput(AdmissionRefused):
    """Output '{tensor}' is a dictionary, or a list of dictionaries with other than FP32 numbers, which no tensor can
    carry. Export with options={{'zipmap': False}}, and give the class order in the card.
    """

    code = "zipmap-output"


class SequenceOutput(AdmissionRefused):
    """Output '{tensor}' is a sequence of tensors, as a MultiOutputClassifier gives. Export one model a label, or
    join the outputs into one tensor (a Concat node) before you export.
    """

    code = "sequence-output"


class UncarriedOutput(AdmissionRefused):
    """Output '{tensor}' is of type {type}, which the protocol cannot carry. Put a Cast to FP32 before it and export
    again.
    """

    code = "uncarried-output"


class ReservedName(AdmissionRefused):
    """The model calls an input or output '{tensor}', a name that Lockgate adds to answers. Rename it and export
    again.
    """

    code = "reserved-name"


class MarginsAsProbabilities(AdmissionRefused):
    """Output '{tensor}' is called a probability but held {value}: these are raw margins, as of a LinearSVC, and
    thresholds on them would mean nothing. Wrap the model in CalibratedClassifierCV, or export it with the output
    renamed.
    """

    code = "margins-as-probabilities"


class MissingLocale(AdmissionRefused):
    """The model lowers text under the locale '{locale}', which this machine does not have. Export the vectorizer
    with options={{'locale': 'C'}}, or install that locale wherever the model is served.
    """

    code = "missing-locale"


class NotRunnable(AdmissionRefused):
    """The file is an ONNX model, but the runtime cannot load it: its graph is inconsistent or uses an operator or
    type that has no implementation here. Load it with onnxruntime.InferenceSession to see where, and export it
    again.
    """

    code = "not-runnable"


class OutOfMemory(AdmissionRefused):
    """Looking at the model took more than {limit_mib} MiB of memory. Make it smaller, or raise the memory limit of
    admission.
    """

    code = "admission-out-of-memory"


class OutOfTime(AdmissionRefused):
    """Looking at the model took more than {limit_s} s. If it is meant to be this slow, raise the time limit of
    admission; if not, look for a loop that does not end.
    """

    code = "admission-out-of-time"


class Crashed(AdmissionRefused):
    """The runtime crashed on the model or ran out of memory, here without harm. Check it with
    onnx.checker.check_model and export it again; a newer exporter often helps.
    """

    code = "admission-crashed"


def refusal_codes() -> dict[str, type[AdmissionRefused]]:
    """Every refusal by its code."""
    return {refusal.code: refusal for refusal in _refusals()}


def _refusals() -> Iterator[type[AdmissionRefused]]:
    """The kinds of refusal."""
    yield AdmissionRefused
    yield from AdmissionRefused.__subclasses__()
