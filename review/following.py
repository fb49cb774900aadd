"""Following the traffic log: what every consumer of it does, whatever it makes of the entries.

`use` is given one stretch after the other and commits the consumer's offset in the transaction that uses the stretch:
killed before the commit, the stretch is read again; killed after it, never. A segment is sealed only once every
consumer has committed its last entry, so nothing is lost to sealing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway.record.reader import Stretch, tail
from gateway.store.ledger import Ledger
from gateway.store.segments import commit_offset, committed_offsets

STRETCH_MAX = 500
"""Entries of the log that are read, and committed, together."""


async def follow(
    ledger: Ledger,
    traffic: Path,
    consumer: str,
    use: Callable[[Stretch], Awaitable[int]],
    limit: int = STRETCH_MAX,
    *,
    wanted: Callable[[bytes], bool],
) -> int:
    """Use everything wanted in the log that the consumer has not committed yet; the sum of what `use` returned.

    A stretch in which nothing is wanted is committed without `use`, and without waking anybody.

    Raises: LedgerUnavailable, TrafficLogUnreadable.
    """
    async with ledger.reading() as r:
        committed = await committed_offsets(r, consumer)
    made = 0
    stretches = tail(traffic / "open", committed, limit, wanted)
    while (stretch := await asyncio.to_thread(next, stretches, None)) is not None:
        if stretch.entries:
            made += await use(stretch)
        else:
            async with ledger.writing(ring=False) as w:
                await commit_offset(w, consumer, stretch.segment, stretch.end)
    return made
