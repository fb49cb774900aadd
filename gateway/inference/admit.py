"""The admission process: looks at one model file under limits and prints what it found.

`python -P -s -m gateway.inference.admit FILE LIMITS`, where LIMITS is AdmissionLimits as JSON. Standard output is one
Finding as JSON. A hostile file may take this process down; it can harm nothing else.
"""

import os
import re
import resource
import sys
from hashlib import sha256
from pathlib import Path

import msgspec

from gateway.inference.errors import ModelNotLoadable, ModelOutOfMemory
from gateway.inference.inspect import inspect
from gateway.inference.priority import weigh_session
from gateway.inference.probe import probe
from gateway.inference.refusals import AdmissionRefused, MissingLocale, NotRunnable, OpsetTooNew, OutOfMemory
from gateway.inference.report import ANSWER_MAX_BYTES, AdmissionLimits, AdmissionReport, Admitted, Finding, Refusal
from gateway.inference.session import OnnxSession, out_of_memory

FAILURES = (AdmissionRefused, ModelNotLoadable, ModelOutOfMemory, MemoryError)
"""How looking at a file may end."""
_OPEN_FILES_MAX = 64
_DETAIL_MAX = 500
_LOCALE = re.compile(r"locale with name:? ?'?([\w.@-]+)")
_OPSET = re.compile(r"Opset (\d+) .*?for domain (\S+) is till opset (\d+)", re.DOTALL)


def main(path: str, limits: str) -> None:
    """Prints the finding about the file."""
    allowed = msgspec.json.decode(limits, type=AdmissionLimits)
    report_to = mute()
    confine(allowed)
    finding = examine(Path(path), allowed)
    os.write(report_to, msgspec.json.encode(finding))


def examine(path: Path, limits: AdmissionLimits) -> Finding:
    """The report about the file, or why it may not be served."""
    try:
        return Admitted(report=_report(path.read_bytes()))
    except FAILURES as error:
        return refusal_of(error, limits)


def refusal_of(failure: Exception, limits: AdmissionLimits) -> Refusal:
    """What is told of one of the FAILURES."""
    if isinstance(failure, AdmissionRefused):
        return _refusal(failure)
    return _refusal(_reason(failure.__cause__ or failure, limits))


def _report(file: bytes) -> AdmissionReport:
    """Reads, opens and runs the model."""
    inspection = inspect(file)
    findings = probe(OnnxSession.open(file))
    return AdmissionReport(
        sha256=sha256(file).hexdigest(),
        bytes=len(file),
        signature=findings.signature,
        opsets=inspection.opsets,
        ir_version=inspection.ir_version,
        producer=inspection.producer,
        class_labels=inspection.class_labels,
        probe=findings.probe,
        warnings=findings.warnings,
    )


def _reason(cause: BaseException | None, limits: AdmissionLimits) -> AdmissionRefused:
    """The refusal behind the runtime's words about a file that it cannot open or run."""
    words = str(cause)
    refusal: AdmissionRefused = NotRunnable()
    if out_of_memory(cause):
        refusal = OutOfMemory(limit_mib=limits.memory_max_bytes // 1024**2)
    elif locale := _LOCALE.search(words):
        refusal = MissingLocale(locale=locale[1])
    elif opset := _OPSET.search(words):
        refusal = OpsetTooNew(opset=opset[1], domain=opset[2], supported=opset[3])
    refusal.__cause__ = cause
    return refusal


def _refusal(refused: AdmissionRefused) -> Refusal:
    """The refusal as it travels to the parent."""
    fields = {name: str(value) for name, value in refused.fields.items()}
    return Refusal(code=refused.code, fields=fields, detail=str(refused.__cause__ or "")[:_DETAIL_MAX])


def mute() -> int:
    """A private way to standard output; whatever libraries print goes nowhere."""
    private = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return private


def confine(limits: AdmissionLimits) -> None:
    """Takes from this process what looking at a file does not need; a system without a limit goes without it."""
    weigh_session()
    wanted = {
        "RLIMIT_AS": limits.memory_max_bytes,
        "RLIMIT_DATA": limits.memory_max_bytes,
        "RLIMIT_CPU": limits.cpu_s,
        "RLIMIT_FSIZE": ANSWER_MAX_BYTES,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": _OPEN_FILES_MAX,
    }
    for name, value in wanted.items():
        kind = getattr(resource, name, None)
        if kind is not None:
            _lower(kind, value)


def _lower(kind: int, value: int) -> None:
    """Sets a limit, the hard one just behind the one that tells its reason. macOS may refuse to lower it."""
    try:
        resource.setrlimit(kind, (value, value + 1))
    except (OSError, ValueError):
        return


if __name__ == "__main__":
    main(*sys.argv[1:])
