"""Moments between the texts that Unleash's engine reads and integer microseconds UTC. PURE."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_WRITTEN: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def moment_text(moment_us: int) -> str:
    """RFC 3339 with milliseconds, the only precision below a second that the engine reads."""
    return (_EPOCH + timedelta(microseconds=moment_us)).isoformat(timespec="milliseconds")


def moment_from(text: str) -> int | None:
    """The moment that a constraint names, in microseconds; None where the engine would not read it as one."""
    if not _WRITTEN.fullmatch(text):
        return None
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
    except ValueError:
        return None
