"""Progress on standard error: only on a terminal, and only when something takes longer than two seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

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


@contextmanager
def waiting(label: str) -> Iterator[None]:
    """Shows that something is still being waited for, and for how long."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(label, total=None, visible=False)
        shown = Timer(AFTER_S, bars.update, (task,), {"visible": True})
        shown.start()
        try:
            yield
        finally:
            shown.cancel()
