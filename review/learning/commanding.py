"""Runs the command of a recipe: under its limits, in a folder of its own, with what it prints kept and read.

What is printed goes through a pipe of ours, so that a command that prints without end fills no disk; a line
`progress 0.42` says how far it is. The command lives in our own process group: whoever ends the group ends it, too.
"""

import asyncio
import os
import re
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from review.learning.errors import TrainingFailed
from review.learning.recipe import TEMPORARY, Recipe, RunLimits

MIB = 1 << 20
LOG_MAX_BYTES = 8 * MIB
LINE_MAX_BYTES = 64 * 1024
LAST_WORDS_S = 2.0
"""How long is read on after the command has ended: a process that it left behind may hold the pipe open."""
PYTHON_S = 20.0
CUT = b"\n(The log is cut here: it was longer than 8 MiB.)\n"
_PROGRESS = re.compile(rb"^progress (0?\.\d{1,9}|[01](?:\.\d{0,9})?)\s*$")

Tell = Callable[[float], None]


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A command that ended by itself with status 0."""

    seconds: float
    python: str


async def run_command(command: tuple[str, ...], recipe: Recipe, folder: Path, log: Path, tell: Tell) -> Ended:
    """Run the command in the folder to its end; it tells how far it is. Raises: TrainingFailed."""
    environment = environment_of(recipe, folder)
    python = await _python(command[0], folder, environment)
    started = time.monotonic()
    status = await _run(command, recipe, folder, log, environment, tell)
    seconds = time.monotonic() - started
    if status != 0:
        raise TrainingFailed(fault=ending(status, recipe.limits))
    return Ended(seconds=seconds, python=python)


def environment_of(recipe: Recipe, folder: Path) -> dict[str, str]:
    """What the command is told: nothing of ours but the variables that the recipe names."""
    # The one place beside the settings that reads the environment: these variables are the command's, not ours.
    named = {name: os.environ[name] for name in recipe.variables if name in os.environ}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(recipe.limits.threads))
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "TMPDIR": str(folder / TEMPORARY),
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        **threads,
        **named,
    }


def progress_in(line: bytes) -> float | None:
    """How far a command says it is in a line, from 0 to 1; none where it speaks of something else."""
    found = _PROGRESS.match(line)
    return min(float(found[1]), 1.0) if found else None


def confined(limits: RunLimits) -> tuple[str, ...]:
    """What stands before a command that shall run under limits."""
    numbers = limits.memory_mib * MIB, limits.cpu_s, limits.file_mib * MIB
    return (sys.executable, "-I", "-S", str(Path(__file__).with_name("confined.py")), *map(str, numbers))


def ending(status: int, limits: RunLimits) -> str:
    """Why a command came to nothing, as a sentence, by its exit status."""
    if status == -signal.SIGXCPU:
        return f"the command took more than {limits.cpu_s} s of computing."
    if status == -signal.SIGXFSZ:
        return f"the command wrote a file of more than {limits.file_mib} MiB."
    if status == -signal.SIGKILL:
        return "the command was killed, as systems do when memory runs out."
    return f"the command ended with status {status}; its log says why."


async def _run(
    command: tuple[str, ...], recipe: Recipe, folder: Path, log: Path, environment: Mapping[str, str], tell: Tell
) -> int:
    """The exit status. Raises: TrainingFailed when it takes too long."""
    read_end, write_end = os.pipe()
    with log.open("wb") as kept:
        process = await asyncio.create_subprocess_exec(
            *confined(recipe.limits), *command,
            stdin=DEVNULL, stdout=write_end, stderr=write_end, cwd=folder, env=environment,
        )  # fmt: skip
        os.close(write_end)
        reading = asyncio.create_task(_keep(read_end, kept, tell))
        try:
            async with asyncio.timeout(recipe.limits.wall_s):
                status = await process.wait()
        except TimeoutError as error:
            await _kill(process)
            raise TrainingFailed(fault=f"the command took longer than {recipe.limits.wall_s:g} s.") from error
        finally:
            await asyncio.wait({reading}, timeout=LAST_WORDS_S)
            reading.cancel()
    return status


async def _keep(read_end: int, kept: BinaryIO, tell: Tell) -> None:
    """Keep what is printed, as far as there is room, until nobody can print any more."""
    reader = asyncio.StreamReader(limit=LINE_MAX_BYTES)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb"))
    room = LOG_MAX_BYTES
    try:
        while line := await _line(reader):
            if room > 0:
                kept.write(line[:room] if len(line) < room else line[:room] + CUT)
                kept.flush()
            room -= len(line)
            if (progress := progress_in(line)) is not None:
                tell(progress)
    finally:
        transport.close()


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line, or a part of one that is too long; empty at the end."""
    try:
        return await reader.readuntil()
    except asyncio.IncompleteReadError as error:
        return error.partial
    except asyncio.LimitOverrunError:
        return await reader.read(LINE_MAX_BYTES)


async def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def _python(program: str, folder: Path, environment: Mapping[str, str]) -> str:
    """What the command's interpreter calls itself; empty where the program is no Python, or does not say."""
    if not Path(program).name.startswith("python"):
        return ""
    with suppress(OSError, TimeoutError):
        process = await asyncio.create_subprocess_exec(
            program, "--version", stdin=DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=DEVNULL, cwd=folder,
            env=environment,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PYTHON_S):
                output, _ = await process.communicate()
        finally:
            await _kill(process)
        return output.decode(errors="replace").strip()[:100]
    return ""
