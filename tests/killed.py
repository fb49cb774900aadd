"""Runs a module until it comes to a named point for the Nth time, and dies there by SIGKILL, as in a crash.

`python -m tests.killed POINT N MODULE [ARGUMENT…]`

| point | where the process dies |
|---|---|
| `rename` | a file that lies there whole is about to get its name |
| `commit` | a transaction is about to be committed |
| `committed` | a transaction was committed, and nobody was told yet |
"""

import asyncio
import os
import runpy
import signal
import sys
from collections.abc import Callable
from typing import Literal

from sqlalchemy import event
from sqlalchemy.orm import Session

Point = Literal["rename", "commit", "committed"]


async def killed_at(point: Point, number: int, module: str, *arguments: object, text: bytes = b"") -> None:
    """Return once the module has died at that point; it is given the text on standard input."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.killed", point, str(number), module), *map(str, arguments),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, complaint = await child.communicate(text)
    assert child.returncode == -signal.SIGKILL, f"{output.decode()}{complaint.decode()}"


def countdown(number: int) -> Callable[[], None]:
    """Something that dies when it is called for the Nth time."""
    calls = iter(range(number - 1, -1, -1))

    def die() -> None:
        if next(calls) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return die


def arm(point: str, die: Callable[[], None]) -> None:
    """Call `die` at each such point."""
    if point == "rename":
        sys.addaudithook(lambda name, _: die() if name == "os.rename" else None)
    else:
        hook = {"commit": "before_commit", "committed": "after_commit"}[point]
        event.listen(Session, hook, lambda _session: die())


def main(point: str, number: str, module: str, *arguments: str) -> None:
    """Run the module as the main program."""
    sys.dont_write_bytecode = True  # a module's bytecode gets its name by a renaming, too
    sys.argv = [module, *arguments]
    arm(point, countdown(int(number)))
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
