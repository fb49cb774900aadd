"""The clock of the product: integer microseconds UTC. Decisions take the time as an argument."""

import time
from datetime import UTC, datetime

SECOND_US = 1_000_000


def now_us() -> int:
    """The time now, in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def after_us(start_us: int, seconds: float) -> int:
    """The moment that lies `seconds` after `start_us`."""
    return start_us + round(seconds * SECOND_US)


def iso(moment_us: int) -> str:
    """The moment as RFC 3339 with milliseconds, such as 2026-11-22T14:03:07.120Z."""
    moment = datetime.fromtimestamp(moment_us / SECOND_US, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
