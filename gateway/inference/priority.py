"""Long runs go behind the event loop where both want the same processor, and those that nobody waits for behind all.

Linux may weigh sessions of processes against each other before it looks at anybody's niceness (autogroup): then a
process with a session of its own has as much as all others together, and has to say of its session what holds for it.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from threading import get_native_id

BEHIND = 5
"""Steps of niceness: beside a loop that never rests, a run still has a quarter of the processor."""
FAR_BEHIND = 15
"""Steps of niceness of a run that nobody waits for: beside one that somebody waits for, a tenth of the processor.

It is not the last of all: a thread that is left nothing would keep what it shares with the loop for as long.
"""


SESSION_WEIGHT = Path("/proc/self/autogroup")
"""Where Linux says and hears how nice a session is to others, if it weighs them."""


def go_behind(steps: int = BEHIND) -> None:
    """Let the loop's thread go before this one; nothing where threads have no priority of their own.

    Without it the two have equal parts, and what the loop does for a small request takes twice as long while a large
    model runs.
    """
    if steps and sys.platform == "linux":
        thread = get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + steps)


def weigh_session() -> None:
    """Let the session of this process count for as little as its niceness says, where sessions are weighed at all."""
    with suppress(OSError):
        SESSION_WEIGHT.write_text(str(os.nice(0)))
