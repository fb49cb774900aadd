"""Libraries loaded without their ornaments: httpx and structlog bring `rich` along where it is installed.

httpx wants it for a command of its own, structlog for coloured tracebacks that show local variables. Nothing of ours
uses either, and it takes tens of milliseconds to load. Our own progress bars import it when they draw.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

RICH = "rich"


@contextmanager
def unadorned() -> Iterator[None]:
    """Whatever is imported in the block finds no `rich`, and does without."""
    if RICH in sys.modules:
        yield
        return
    sys.modules[RICH] = None  # type: ignore[assignment]  # how Python notes that a module cannot be imported
    try:
        yield
    finally:
        sys.modules.pop(RICH, None)
