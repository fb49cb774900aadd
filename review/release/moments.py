"""Moments as people type them: `14:03` of today, or ISO 8601, in UTC unless it says otherwise."""

import re
from datetime import UTC, datetime, timedelta

from gateway.errors import BadRequest
from gateway.times import SECOND_US

CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


class MomentRefused(BadRequest):
    """'{text}' is no moment that has been: write 14:03 for today, or 2026-11-28T14:03, in UTC."""

    code = "moment-refused"


def moment_us(text: str, now_us: int) -> int:
    """The moment in microseconds UTC. Raises: MomentRefused (not understood, or not yet)."""
    now = datetime.fromtimestamp(now_us / SECOND_US, UTC)
    if clock := CLOCK.fullmatch(text.strip()):
        hour, minute, second = (int(part or 0) for part in clock.groups())
        moment = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
    else:
        moment = _iso(text)
    found = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    if found > now_us:
        raise MomentRefused(text=text[:40])
    return found


def _iso(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise MomentRefused(text=text[:40]) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
