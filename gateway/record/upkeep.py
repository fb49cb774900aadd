"""How often what was written is made to survive a loss of power."""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.record.log import TrafficLog

SYNC_BYTES = 1 << 20
"""About so much is synced at a time.

The system does that in one go, some 60 µs a megabyte, and where a processor is shared nobody else has it meanwhile:
once a second, all that a busy gateway has written held up its answers for three milliseconds.
"""
SYNC_PAUSE_S = 0.02
"""At least so long between two syncs: a disk has other things to do."""


async def keep_synced(log: "TrafficLog") -> None:
    """Do the log's upkeep every sync interval, and more often where much is written, until cancelled."""
    pause_s = log.settings.sync_interval_s
    while True:
        before = log.counts.bytes
        await asyncio.sleep(pause_s)
        grown = log.counts.bytes - before
        await log.upkeep()
        pause_s = next_pause_s(pause_s, grown, log.settings.sync_interval_s)


def next_pause_s(pause_s: float, grown: int, longest_s: float) -> float:
    """How long to wait for about SYNC_BYTES, at the pace of so many bytes in the last pause. Pure."""
    return min(longest_s, max(SYNC_PAUSE_S, pause_s * SYNC_BYTES / max(grown, 1)))
