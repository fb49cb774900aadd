"""Freezing and evaluating run in a child process, so that no request waits for them and their memory ends with them.

The task goes in on standard input, because the ledger's address may carry a password; what it came to, or the error
that stands for it, comes back on standard output. Killed at any moment, the child leaves no row behind: all of them are
written in one transaction at the end.

A child that starts processes of its own is tethered: it leads a process group, and standard input stays open for as
long as its parent lives. The group ends with the parent, however that ends.
"""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Literal, TypeVar

import msgspec

from gateway.inference.priority import weigh_session
from gateway.store.ledger import Ledger
from review.errors import ReviewError
from review.learning.errors import LearningFailed

T = TypeVar("T")


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What every child is told."""

    ledger_url: str


TaskT = TypeVar("TaskT", bound=Task)
Work = Literal["learning.freezing", "learning.evaluating", "learning.training", "simulation.child"]
"""The module of the child, below `review`."""
COMPLAINT_MAX_CHARS = 2000
COLLECT_AFTER = 200_000
"""New objects between two looks for cycles: rows come by the million and make none; looking took a third of it all."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a child says at its end: its result, or the code and fields of an error."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""
    fields: Mapping[str, str | int | float] = {}


async def in_child(work: Work, task: msgspec.Struct, kind: type[T]) -> T:
    """The result of a child process that did the work. Raises: LearningFailed, and what the work itself raises."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"review.{work}",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        output, complaint = await child.communicate(msgspec.json.encode(task))
    finally:
        if child.returncode is None:  # cancelled: leave no child behind
            child.kill()
            await child.wait()
    return _result(child.returncode or 0, output, complaint, kind)


async def in_tethered_child(work: Work, task: msgspec.Struct, kind: type[T]) -> T:
    """As `in_child`, of a child that ends with everything it started; cancelled, it is gone at once."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"review.{work}",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    try:
        child.stdin.write(msgspec.json.encode(task) + b"\n")
        output, complaint = await asyncio.gather(child.stdout.read(), child.stderr.read())
        await child.wait()
    finally:
        with suppress(ProcessLookupError):  # also what a child that ended has left behind
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()
    return _result(child.returncode or 0, output, complaint, kind)


def end_with_parent() -> None:
    """In a tethered child: end the whole group when the parent is gone, whatever else is done meanwhile."""

    def watch() -> None:
        while os.read(0, 1):  # nothing more is sent; the read returns when nobody could send any more
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, name="tether", daemon=True).start()


def _result(status: int, output: bytes, complaint: bytes, kind: type[T]) -> T:
    """What a child told. Raises: LearningFailed, and what the work itself raised."""
    if status:
        cause = RuntimeError(complaint.decode(errors="replace")[-COMPLAINT_MAX_CHARS:])
        raise LearningFailed(why=f"the process ended with {status}") from cause
    told = msgspec.json.decode(output, type=Told)
    if told.error:
        raise _error(told)
    return msgspec.json.decode(told.result, type=kind)


async def be_child(
    kind: type[TaskT], work: Callable[[Ledger, TaskT], Awaitable[msgspec.Struct]], *, tethered: bool = False
) -> None:
    """In the child: do the work of the task that was given, and tell what it came to or what stood in the way."""
    gc.set_threshold(COLLECT_AFTER)
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=kind)
    if tethered:
        weigh_session()
        end_with_parent()
    ledger = Ledger.open(task.ledger_url)
    try:
        told = Told(result=msgspec.Raw(msgspec.json.encode(await work(ledger, task))))
    except ReviewError as error:
        plain = {name: each if isinstance(each, int | float) else str(each) for name, each in error.fields.items()}
        told = Told(error=error.code, fields=plain)
    finally:
        await ledger.close()
    sys.stdout.buffer.write(msgspec.json.encode(told))
    sys.stdout.flush()


def _error(told: Told) -> ReviewError:
    """The error that a child told, in its own class."""
    kinds = {kind.code: kind for kind in _descendants(ReviewError)}
    return kinds.get(told.error, LearningFailed)(**{"why": told.error, **told.fields})


def _descendants(kind: type[ReviewError]) -> set[type[ReviewError]]:
    return {kind}.union(*(_descendants(each) for each in kind.__subclasses__()))
