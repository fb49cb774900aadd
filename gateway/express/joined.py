"""One run of another release beside several answers, in a thread."""

from collections.abc import Mapping, Sequence
from time import perf_counter_ns, thread_time
from typing import NamedTuple

from gateway.inference.session import Session, Stop
from gateway.protocol.datatypes import Tensor


class Joined(NamedTuple):
    """What one run came to."""

    outputs: dict[str, Tensor]
    us: int
    busy_s: float
    """What it took of a processor."""


def joined(session: Session, several: Sequence[Mapping[str, Tensor]], stop: Stop) -> list[Joined]:
    """In the thread: a run for each of these."""
    runs = []
    for feeds in several:
        began, busy = perf_counter_ns(), thread_time()
        outputs = session.run(feeds, None, stop)
        runs.append(Joined(outputs, (perf_counter_ns() - began) // 1000, thread_time() - busy))
    return runs
