"""Measures again what the machine disturbed: other machines on the same hardware took its processors meanwhile.

Linux counts that time as stolen. A load during which much was stolen tells of the neighbours, and a ratio of two loads
of which one had less of its processor tells nothing at all.
"""

import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")

STOLEN_MAX = 0.02
"""The part of a processor's time that may be stolen during a load."""
TRIES = 4
REST_S = 1.0
PATIENCE_S = float(os.environ.get("BENCH_PATIENCE_S", "600"))
"""How much longer all of a process's loads may take because of that."""
STAT = Path("/proc/stat")
_STEAL = 8
"""Where in a processor's line of STAT its stolen ticks stand."""


class Disturbance:
    """How often something was measured again, and how disturbed what counts still was."""

    def __init__(self) -> None:
        self.measured = self.again = self.disturbed = 0
        self.left_s = PATIENCE_S

    def told(self) -> str:
        """The same in words."""
        kept = f"{self.measured} loads, {self.again} repeats, {self.disturbed} still disturbed"
        return kept if STAT.exists() else "not known"


SEEN = Disturbance()


def undisturbed(measure: Callable[[], T]) -> T:
    """What is measured while the processors are ours; after TRIES the least disturbed of them."""
    SEEN.measured += 1
    best, least = _once(measure)
    tries = 1
    while least > STOLEN_MAX and tries < TRIES and SEEN.left_s > 0:
        began = monotonic()
        sleep(REST_S)
        found, stolen = _once(measure)
        if stolen < least:
            best, least = found, stolen
        tries += 1
        SEEN.left_s -= monotonic() - began
    SEEN.again += tries - 1
    SEEN.disturbed += least > STOLEN_MAX
    return best


def _once(measure: Callable[[], T]) -> tuple[T, float]:
    """What is measured, and the part of the time for which the most disturbed processor was stolen."""
    before, began = _ticks(), monotonic()
    found = measure()
    took = (monotonic() - began) * os.sysconf("SC_CLK_TCK")
    return found, max((now - then for now, then in zip(_ticks(), before, strict=True)), default=0) / took


def _ticks() -> list[int]:
    """The stolen ticks of each processor; none where the system does not tell."""
    lines = STAT.read_text(encoding="ascii").splitlines() if STAT.exists() else []
    return [int(line.split()[_STEAL]) for line in lines if line[:3] == "cpu" and line[3].isdigit()]
