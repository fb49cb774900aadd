"""Runs a program of ours over a model file in a child process that takes the harm."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from gateway.inference.refusals import OutOfTime
from gateway.inference.report import ANSWER_MAX_BYTES, AdmissionLimits

_PACKAGES = Path(__file__).parents[2]


async def answer_of(module: str, file: Path, limits: AdmissionLimits, *more: str) -> tuple[bytes, int]:
    """What the module's program printed about the file, and its exit status; nothing of it runs on. Raises: OutOfTime.

    The program is told the file, the limits as JSON, and whatever more there is.
    """
    with TemporaryDirectory(prefix="lockgate-admit-") as folder:
        answer = Path(folder, "answer")
        child = await _start(module, (str(file), msgspec.json.encode(limits).decode(), *more), answer)
        try:
            async with asyncio.timeout(limits.wall_s):
                status = await child.wait()
        except TimeoutError as error:
            raise OutOfTime(limit_s=f"{limits.wall_s:g}") from error
        finally:
            await _end(child)
        return _printed(answer), status


async def _start(module: str, words: tuple[str, ...], answer: Path) -> Process:
    """The child, in an empty folder and a session of its own, with nothing of our environment.

    It answers into a file, whose size the system limits; a pipe could be flooded, or held open by a stray grandchild.
    """
    empty = answer.with_name("empty")
    empty.mkdir()
    with answer.open("wb") as output:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-s", "-m", module),
            *words,
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


def _printed(answer: Path) -> bytes:
    """What the child said, as much of it as may be honest."""
    with answer.open("rb") as file:
        return file.read(ANSWER_MAX_BYTES)


async def _end(child: Process) -> None:
    """Leaves no process behind, also when we are cancelled."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    await child.wait()
