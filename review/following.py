"""Following the traffic log: what every consumer of it does, whatever it makes of the entries.

`use` is given one stretch after the other and commits the consumer's offset in the transaction that uses the stretch:
killed before the commit, the stretch is read again; killed after it, never. A segment is sealed only once every
consumer has committed its last entry, so nothing is lost to sealing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from gateway.record.codec import PLAIN_MARKS
from gateway.record.frames import Mark
from gateway.record.reader import Stretch, tail
from gateway.store.ledger import Ledger
from gateway.store.segments import commit_offset, latest_offsets

STRETCH_MAX = 500
"""Entries of the log that are read, and committed, together."""
PASSED_S = 30.0
"""So long what was passed by is remembered at most before it is committed; the next worker reads so much again."""


class Passed:
    """How far a consumer has passed entries by in which nothing was wanted, beyond what it has committed.

    Nothing is made of them, so nothing is lost or done twice when it is forgotten. It is committed when a segment has
    grown no further, for then it may wait to be sealed, and else now and then: a commit costs more than the passing.
    """

    def __init__(self) -> None:
        self._ends: dict[str, int] = {}
        self._since_s: float | None = None

    @property
    def all(self) -> dict[str, int]:
        """Everything that is remembered."""
        return dict(self._ends)

    def beyond(self, committed: Mapping[str, int]) -> dict[str, int]:
        """Where to read on in each segment; what was committed meanwhile is remembered no more."""
        self._ends = {name: end for name, end in self._ends.items() if end > committed.get(name, 0)}
        return {**committed, **self._ends}

    def note(self, stretch: Stretch, at_s: float) -> None:
        """Remember a stretch in which nothing was wanted."""
        self._ends[stretch.segment] = stretch.end
        self._since_s = at_s if self._since_s is None else self._since_s

    def due(self, begun: Mapping[str, int], at_s: float) -> dict[str, int]:
        """What is to be committed now: of segments that have not grown since this look had `begun`, or all of it."""
        late = self._since_s is not None and at_s - self._since_s >= PASSED_S
        return {name: end for name, end in self._ends.items() if late or begun.get(name) == end}

    def forget(self, ends: Mapping[str, int]) -> None:
        """Remember no more what was committed."""
        self._ends = {name: end for name, end in self._ends.items() if name not in ends}
        self._since_s = self._since_s if self._ends else None


async def follow(
    ledger: Ledger,
    traffic: Path,
    consumer: str,
    use: Callable[[Stretch], Awaitable[int]],
    limit: int = STRETCH_MAX,
    *,
    wanted: Callable[[bytes], bool],
    passing: Sequence[Mark] = PLAIN_MARKS,
    passed: Passed | None = None,
) -> int:
    """Use everything wanted in the log that the consumer has not committed yet; the sum of what `use` returned.

    Those with the marks of `passing` are not. A stretch in which nothing is wanted is passed by without `use`: with a
    memory for that it is committed later.

    Raises: LedgerUnavailable, TrafficLogUnreadable.
    """
    memory = passed or Passed()
    begun = memory.beyond(await latest_offsets(ledger, consumer))
    made, now_s = 0, asyncio.get_running_loop().time
    stretches = tail(traffic / "open", begun, limit, wanted, passing=passing)
    while (stretch := await asyncio.to_thread(next, stretches, None)) is not None:
        if stretch.frames:
            made += await use(stretch)
            memory.forget({stretch.segment: stretch.end})
        else:
            memory.note(stretch, now_s())
    due = memory.due(begun, now_s()) if passed is not None else memory.all
    if due:
        async with ledger.writing(ring=False) as w:
            for segment, end in due.items():
                await commit_offset(w, consumer, segment, end)
        memory.forget(due)
    return made
