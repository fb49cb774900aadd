"""Long runs go behind the event loop where both want the same processor."""

import os
import sys
from threading import get_native_id

BEHIND = 5
"""Steps of niceness: beside a loop that never rests, a run still has a quarter of the processor."""


def go_behind() -> None:
    """Let the loop's thread go before this one; nothing where threads have no priority of their own.

    Without it the two have equal parts, and what the loop does for a small request takes twice as long while a large
    model runs.
    """
    if sys.platform == "linux":
        thread = get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + BEHIND)
