"""Whether a server that fails again and again is asked at all. Pure: the clock is an argument.

| the circuit is | when | a call |
|---|---|---|
| closed | fewer than `FAILURES` failures in a row | is made |
| open | after that, for 1 s, 2 s … up to 30 s | fails at once |
| half open | that time is over | one is made; its success closes the circuit, its failure opens it for longer |

A failure is what a retry elsewhere or later could help: no connection, no answer in time, the server is overloaded. A
request that the server refuses is a success of the server.
"""

FAILURES = 5
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0


class Circuit:
    """The circuit before one server, as seen by one process."""

    def __init__(self) -> None:
        self._failures = 0
        self._open_until_s = 0.0
        self._trying = False

    @property
    def open(self) -> bool:
        """Whether calls fail at once, but for the one that tries."""
        return self._failures >= FAILURES

    def lets_through(self, now_s: float) -> bool:
        """Whether a call may be made now; each one that may ends with `succeeded`, `failed` or `left`."""
        if not self.open:
            return True
        if self._trying or now_s < self._open_until_s:
            return False
        self._trying = True
        return True

    def pause_s(self, now_s: float) -> float:
        """Seconds until the next call may be made, at least one."""
        return max(1.0, self._open_until_s - now_s)

    def succeeded(self) -> None:
        """The server answered."""
        self._failures, self._trying = 0, False

    def failed(self, now_s: float) -> None:
        """The server did not answer, or not in time."""
        self._failures, self._trying = self._failures + 1, False
        if self.open:
            pause_s = FIRST_PAUSE_S * 2.0 ** min(self._failures - FAILURES, 10)
            self._open_until_s = now_s + min(pause_s, LONGEST_PAUSE_S)

    def left(self) -> None:
        """The call ended before it was known how the server is."""
        self._trying = False
