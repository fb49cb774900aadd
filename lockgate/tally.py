"""How many connections each gateway of one `lockgate serve` has, in memory that they share.

A row is the number and the time at which it was said. Each gateway writes its own row only, several times a second, so
that one that was ended or hangs is soon passed over. Nothing is locked: a row read while it is written is a number of a
moment ago.
"""

import mmap
import os
import tempfile
import time
from pathlib import Path

ROW_BYTES = 16
GONE = -1
LATELY_S = 0.5
"""For how long a gateway's word counts: five times as long as it takes to say it again."""


def shared_rows(gateways: int) -> int:
    """The descriptor of a file without a name, for gateways to inherit; all rows are of long ago."""
    descriptor, path = tempfile.mkstemp(prefix="lockgate-")
    Path(path).unlink()
    os.ftruncate(descriptor, gateways * ROW_BYTES)
    return descriptor


class Tally:
    """The rows, as one gateway sees them."""

    def __init__(self, descriptor: int, row: int, rows: int) -> None:
        self._memory = mmap.mmap(descriptor, rows * ROW_BYTES)
        self._values = memoryview(self._memory).cast("q")
        self._row = row
        self._others = [other for other in range(rows) if other != row]

    def say(self, connections: int) -> None:
        """So many connections are here; GONE: no more are taken."""
        self._values[2 * self._row] = connections
        self._values[2 * self._row + 1] = time.monotonic_ns()

    def fewest(self) -> int | None:
        """The fewest that another gateway has; None where no other has said so lately."""
        since = time.monotonic_ns() - int(LATELY_S * 1e9)
        said = [self._values[2 * other] for other in self._others if self._values[2 * other + 1] >= since]
        return min((each for each in said if each != GONE), default=None)
