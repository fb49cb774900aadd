"""Decides whether a model file may be served, in a child process that takes the harm."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from gateway.inference.refusals import (
    AdmissionRefused,
    Crashed,
    FileTooLarge,
    NotOnnx,
    OutOfMemory,
    OutOfTime,
    refusal_codes,
)
from gateway.inference.report import ANSWER_MAX_BYTES, AdmissionLimits, AdmissionReport, Admitted, Finding, Refusal

_PACKAGES = Path(__file__).parents[2]
_FINDING: msgspec.json.Decoder[Finding] = msgspec.json.Decoder(Finding)


class RuntimeWords(Exception):
    """What the runtime said about a refused file; the cause of the refusal, for the log."""


async def admit(path: Path, limits: AdmissionLimits | None = None) -> AdmissionReport:
    """The report about a model file that may be served; an AdmissionRefused says why it may not, and what to do."""
    limits = limits or AdmissionLimits()
    file = _checked(path, limits)
    with TemporaryDirectory(prefix="lockgate-admit-") as folder:
        answer = Path(folder, "answer")
        child = await _start(file, limits, answer)
        try:
            async with asyncio.timeout(limits.wall_s):
                status = await child.wait()
        except TimeoutError as error:
            raise OutOfTime(limit_s=f"{limits.wall_s:g}") from error
        finally:
            await _end(child)
        return _report(answer, status, limits)


def _checked(path: Path, limits: AdmissionLimits) -> Path:
    """Where the file really lies; refuses one that need not be read."""
    if not path.is_file():
        raise NotOnnx
    size = path.stat().st_size
    if size > limits.file_max_bytes:
        raise FileTooLarge(bytes=size, limit=limits.file_max_bytes)
    return path.resolve()


async def _start(file: Path, limits: AdmissionLimits, answer: Path) -> Process:
    """The child, in an empty folder and a session of its own, with nothing of our environment.

    It answers into a file, whose size the system limits; a pipe could be flooded, or held open by a stray grandchild.
    """
    empty = answer.with_name("empty")
    empty.mkdir()
    with answer.open("wb") as output:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-s", "-m", "gateway.inference.admit"),
            *(str(file), msgspec.json.encode(limits).decode()),
            stdin=DEVNULL,
            stdout=output,
            stderr=DEVNULL,
            cwd=empty,
            env=_environment(),
            start_new_session=True,
        )


def _environment() -> dict[str, str]:
    """What the child is told: where the code is, and to be one thread; no secrets, no settings."""
    return {
        "PYTHONPATH": str(_PACKAGES),
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }


async def _end(child: Process) -> None:
    """Leaves no process behind, also when we are cancelled."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    await child.wait()


def _report(answer: Path, status: int, limits: AdmissionLimits) -> AdmissionReport:
    """The report in the child's answer; a child that ended without one is a refusal too."""
    with answer.open("rb") as file:
        text = file.read(ANSWER_MAX_BYTES)
    try:
        finding = _FINDING.decode(text)
    except (ValueError, RecursionError) as error:
        raise _ending(status, limits) from error
    if isinstance(finding, Admitted):
        return finding.report
    raise _refused(finding) from RuntimeWords(finding.detail)


def _refused(refusal: Refusal) -> AdmissionRefused:
    """The refusal as it was raised in the child."""
    kind = refusal_codes().get(refusal.code, AdmissionRefused)
    try:
        return kind(**refusal.fields)
    except KeyError:
        return AdmissionRefused()


def _ending(status: int, limits: AdmissionLimits) -> AdmissionRefused:
    """Why a child ended without an answer, by its exit status."""
    if status in (-signal.SIGXCPU, -signal.SIGALRM):
        return OutOfTime(limit_s=limits.cpu_s)
    if status == -signal.SIGKILL:
        return OutOfMemory(limit_mib=limits.memory_max_bytes // 1024**2)
    return Crashed()
