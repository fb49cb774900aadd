"""Progress on standard error: only on a terminal, and only when something takes longer than two seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]
AFTER_S = 2.0


@contextmanager
def progress(label: str, total: int) -> Iterator[Advance]:
    """A function to call with how much more is done, of `total`."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    started, done = time.monotonic(), 0
    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(label, total=total, visible=False)

        def advance(more: int) -> None:
            nonlocal done
            done += more
            bars.update(task, completed=done, visible=time.monotonic() - started > AFTER_S)

        yield advance
