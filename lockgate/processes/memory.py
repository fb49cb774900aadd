"""How the collector of reference cycles is kept from pausing those who wait.

What a process has loaded by the time it is ready (modules, tables, sessions, the plan) lives as long as the process.
Python's collector would walk through all of it again and again, 100 ms at a time, while callers wait for an answer.
"""

import gc

YOUNG = 5_000
"""How many more objects are made than freed before the youngest are looked at; Python's own 700 is one request."""


def keep_pauses_short() -> None:
    """Collect once, and leave what is there by now out of every later collection. Call it when the process is ready."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
