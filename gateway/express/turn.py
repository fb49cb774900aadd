"""The plain requests that wait for the end of a turn of the loop, and whose turn it is then."""

from collections import OrderedDict, deque
from time import perf_counter_ns
from uuid import UUID

import msgspec

from gateway.call import Begun
from gateway.express.exchange import Exchange
from gateway.express.reading import PlainRequest
from gateway.express.target import Answering, Target
from gateway.protocol.datatypes import Tensor
from gateway.registry.live import LiveRelease


class Waiting(msgspec.Struct, frozen=True):
    """A plain request that waits for the end of the turn."""

    exchange: Exchange
    target: Target
    request: PlainRequest
    answering: Answering
    at_us: int
    began_ns: int
    read_ns: int
    decided_ns: int

    def stages(self, ran_ns: int) -> tuple[int, int, int, int, int, int]:
        """The microseconds of each stage, the run having ended at `ran_ns`; deciding is part of asking the flags."""
        read_us = (self.read_ns - self.began_ns) // 1000
        flags_us = (self.decided_ns - self.read_ns) // 1000
        return read_us, flags_us, 0, 0, (ran_ns - self.decided_ns) // 1000, (perf_counter_ns() - ran_ns) // 1000


class Drawn(msgspec.Struct, frozen=True, gc=False):
    """What was drawn for a request. Uniform in [0, 1)."""

    items: tuple[float, ...]
    """For the audit of each."""
    capture: float

    def begun(self, release: UUID | None = None, said: dict[str, Tensor] | None = None) -> Begun:
        """The same for the general way, with what a release has said."""
        return Begun(draws=self.items, capture_draw=self.capture, release=release, outputs=said or {})


class Turn:
    """The plain requests of one release that came in this turn of the loop."""

    def __init__(self, release: LiveRelease) -> None:
        self.release = release
        self.waiting: list[Waiting] = []


def fair_share(waiting: list[Waiting], most: int) -> tuple[list[Waiting], list[Waiting]]:
    """The requests whose turn it is, `most` items or a single request, and the others; callers take turns."""
    if sum(each.request.items for each in waiting) <= most:
        return waiting, []
    lines: OrderedDict[bytes, deque[Waiting]] = OrderedDict()
    for each in waiting:
        lines.setdefault(each.target.key_bytes, deque()).append(each)
    taken: list[Waiting] = []
    items, callers = 0, deque(lines.values())
    while callers:
        line = callers.popleft()
        if taken and items + line[0].request.items > most:
            continue
        taken.append(line.popleft())
        items += taken[-1].request.items
        if line:
            callers.append(line)
    gone = set(map(id, taken))
    return taken, [each for each in waiting if id(each) not in gone]
