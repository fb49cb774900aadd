"""What admission found out about a model file, as values that are kept with its version."""

from typing import Literal

import msgspec

from gateway.protocol.signature import Signature

Meaning = Literal["probabilities", "probability", "scores", "label", "values"]
Batching = Literal["independent", "mixed", "fixed", "unknown"]


class Opset(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an operator set that the file is written in; `ai.onnx` is the standard one."""

    domain: str
    version: int


class OutputFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What one output held for made-up inputs.

    `meaning` is what the values look like: rows that sum to 1 (`probabilities`), one number in [0, 1] an item
    (`probability`), several numbers in [0, 1] (`scores`), text or whole numbers (`label`), anything else (`values`).
    """

    name: str
    meaning: Meaning
    finite: bool
    per_item: bool


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """How the model behaved when it was run.

    `batching`: items are answered the same alone and together (`independent`), depend on their neighbours (`mixed`),
    can only be sent in the declared number (`fixed`), or nothing could be run (`unknown`).
    """

    batching: Batching = "unknown"
    deterministic: bool = True
    cost_us: float | None = None
    outputs: tuple[OutputFinding, ...] = ()


class AdmissionReport(msgspec.Struct, frozen=True, kw_only=True):
    """A model file that may be served. Its signature gives the outputs as observed, not only as declared."""

    sha256: str
    bytes: int
    signature: Signature
    opsets: tuple[Opset, ...]
    ir_version: int
    producer: str
    class_labels: tuple[str, ...]
    probe: Probe
    warnings: tuple[str, ...]


class AdmissionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the child process that looks at a file may take."""

    file_max_bytes: int = 1024**3
    memory_max_bytes: int = 4 * 1024**3
    wall_s: float = 60.0
    cpu_s: int = 60


class Refusal(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """The child's answer about a file that may not be served; `detail` is for the log, never for a caller."""

    code: str
    fields: dict[str, str] = {}
    detail: str = ""


class Admitted(msgspec.Struct, frozen=True, kw_only=True, tag="admitted"):
    """The child's answer about a file that may be served."""

    report: AdmissionReport


Finding = Admitted | Refusal
ANSWER_MAX_BYTES = 4 * 1024 * 1024
"""More than any honest finding is as JSON."""
