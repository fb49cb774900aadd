"""Decides whether a model file may be served, in a child process that takes the harm."""

import signal
from pathlib import Path

import msgspec

from gateway.inference.child import answer_of
from gateway.inference.refusals import (
    AdmissionRefused,
    Crashed,
    FileTooLarge,
    NotOnnx,
    OutOfMemory,
    OutOfTime,
    refusal_codes,
)
from gateway.inference.report import AdmissionLimits, AdmissionReport, Admitted, Finding, Refusal

_FINDING: msgspec.json.Decoder[Finding] = msgspec.json.Decoder(Finding)


class RuntimeWords(Exception):
    """What the runtime said about a refused file; the cause of the refusal, for the log."""


async def admit(path: Path, limits: AdmissionLimits | None = None) -> AdmissionReport:
    """The report about a model file that may be served; an AdmissionRefused says why it may not, and what to do."""
    limits = limits or AdmissionLimits()
    text, status = await answer_of("gateway.inference.admit", checked(path, limits), limits)
    return _report(text, status, limits)


def checked(path: Path, limits: AdmissionLimits) -> Path:
    """Where the file really lies; refuses one that need not be read."""
    if not path.is_file():
        raise NotOnnx
    size = path.stat().st_size
    if size > limits.file_max_bytes:
        raise FileTooLarge(bytes=size, limit=limits.file_max_bytes)
    return path.resolve()


def _report(text: bytes, status: int, limits: AdmissionLimits) -> AdmissionReport:
    """The report in the child's answer; a child that ended without one is a refusal too."""
    try:
        finding = _FINDING.decode(text)
    except (ValueError, RecursionError) as error:
        raise ending(status, limits) from error
    if isinstance(finding, Admitted):
        return finding.report
    raise refused(finding) from RuntimeWords(finding.detail)


def refused(refusal: Refusal) -> AdmissionRefused:
    """The refusal as it was raised in the child."""
    kind = refusal_codes().get(refusal.code, AdmissionRefused)
    try:
        return kind(**refusal.fields)
    except KeyError:
        return AdmissionRefused()


def ending(status: int, limits: AdmissionLimits) -> AdmissionRefused:
    """Why a child ended without an answer, by its exit status."""
    if status in (-signal.SIGXCPU, -signal.SIGALRM):
        return OutOfTime(limit_s=limits.cpu_s)
    if status == -signal.SIGKILL:
        return OutOfMemory(limit_mib=limits.memory_max_bytes // 1024**2)
    return Crashed()
