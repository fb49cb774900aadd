"""A whole gateway in this process, so that its parts can be timed and its stacks taken: `python -m tests.bench.inside`.

It takes an Errand as JSON on standard input and prints what was Seen as JSON. First one connection sends requests, and
clocks around a few functions tell how long each of them takes. Then 64 connections do, without those clocks, and a
timer takes a stack each millisecond.
"""

import asyncio
import signal
import sys
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns, thread_time_ns
from types import FrameType
from typing import Any

import msgspec

from gateway.express.express import Express
from gateway.express.judging import PlainJudge
from gateway.express.moulds import ReplyMould
from gateway.express.outputs import Output
from gateway.express.reading import PlainReader
from gateway.express.target import Target
from gateway.inference.session import OnnxSession
from gateway.record.log import TrafficLog
from lockgate.exchanges import WholeRequests
from lockgate.listeners import bind
from lockgate.logs import configure_logs
from lockgate.processes.child import running_loop
from lockgate.processes.gateway import open_gateway
from lockgate.processes.memory import keep_pauses_short
from lockgate.settings import Settings
from lockgate.web import serving
from tests.bench.load import Endpoint
from tests.bench.stacks import Frame, tree_of
from tests.servers.process import free_port

SPOTS: dict[str, tuple[type, str]] = {
    "take": (Express, "take"),
    "decode": (PlainReader, "read"),
    "flags": (Target, "answering"),
    "turn": (Express, "_end_of_turn"),
    "run": (OnnxSession, "run"),
    "settle": (PlainJudge, "judge"),
    "make": (Express, "_make"),
    "text": (Output, "json"),
    "encode": (ReplyMould, "cast"),
    "append": (TrafficLog, "write_together"),
    "send": (WholeRequests, "answered"),
}
"""Functions around which a clock is put, by the name of what it tells."""
SAMPLE_S = 0.001
IDLE_NS = 200_000


class Errand(msgspec.Struct, kw_only=True):
    """Which data to serve, and which request to send."""

    data_directory: str
    request: str
    """In Base64."""


class Seen(msgspec.Struct, kw_only=True):
    """What came of it, in microseconds of a typical request."""

    answers: int
    processor_us: float
    """How long its thread had the processor."""
    p50_us: float
    """As the other side of the connection saw it."""
    spots: dict[str, float]
    stacks: Frame


class Clocks:
    """What the clocks have shown, in nanoseconds."""

    def __init__(self) -> None:
        self.taken: dict[str, list[int]] = {name: [] for name in SPOTS}
        self.processor_ns: list[int] = []

    @contextmanager
    def around(self) -> Iterator[None]:
        """Put the clocks in place for a while."""
        before: list[tuple[type, str, Any]] = []
        for name, (owner, function) in SPOTS.items():
            before.append((owner, function, getattr(owner, function)))
            setattr(owner, function, self._timed(name, before[-1][2]))
        try:
            yield
        finally:
            for owner, function, old in before:
                setattr(owner, function, old)

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        taken = self.taken[name]

        def timed(*given: Any, **named: Any) -> Any:
            began = perf_counter_ns()
            answer = function(*given, **named)
            taken.append(perf_counter_ns() - began)
            if name == "send":
                self.processor_ns.append(thread_time_ns())
            return answer

        return timed


class Sampler:
    """Takes the stack of the main thread each millisecond."""

    def __init__(self) -> None:
        self.stacks: Counter[tuple[str, ...]] = Counter()
        self._worked_ns = 0

    @contextmanager
    def sampling(self) -> Iterator[None]:
        """Take stacks for a while."""
        before = signal.signal(signal.SIGALRM, self._take)
        signal.setitimer(signal.ITIMER_REAL, SAMPLE_S, SAMPLE_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _take(self, _number: int, frame: FrameType | None) -> None:
        """Take the stack, unless the thread has hardly worked since the last one: it waits for a load then."""
        before, self._worked_ns = self._worked_ns, thread_time_ns()
        if self._worked_ns - before < IDLE_NS:
            return
        stack = []
        while frame is not None:
            stack.append(f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_qualname}")
            frame = frame.f_back
        self.stacks[tuple(reversed(stack))] += 1


async def see(errand: Errand) -> Seen:
    """Serve, be pressed twice, and tell."""
    settings = Settings(data_directory=Path(errand.data_directory))
    port = free_port()
    listener = bind(f"127.0.0.1:{port}", "http_address")
    endpoint = Endpoint(port, b64decode(errand.request))
    clocks, sampler = Clocks(), Sampler()
    async with (
        open_gateway(settings, "gateway-1", "http://127.0.0.1:9") as gateway,
        serving(gateway.app, listener, drain_s=1.0),
    ):
        keep_pauses_short()
        with clocks.around():
            one = await asyncio.to_thread(endpoint.press_once, 1)
        with sampler.sampling():
            await asyncio.to_thread(endpoint.press_once, 64)
    processor_ns = (clocks.processor_ns[-1] - clocks.processor_ns[0]) / (len(clocks.processor_ns) - 1)
    return Seen(
        answers=len(clocks.taken["send"]),
        processor_us=processor_ns / 1000,
        p50_us=one.p50_us,
        spots={name: typical(taken) / 1000 for name, taken in clocks.taken.items()},
        stacks=tree_of(sampler.stacks),
    )


def typical(values: list[int]) -> float:
    """The mean of the middle half, which neither a pause nor a coarse clock moves much; 0 of nothing."""
    ordered = sorted(values)
    middle = ordered[len(ordered) // 4 : len(ordered) - len(ordered) // 4]
    return sum(middle) / len(middle) if middle else 0.0


def main() -> None:
    """Read the errand, see, print."""
    errand = msgspec.json.decode(sys.stdin.buffer.read(), type=Errand)
    configure_logs("warning", "json", "bench")
    with running_loop() as runner:
        seen = runner.run(see(errand))
    sys.stdout.buffer.write(b"\n" + msgspec.json.encode(seen))


if __name__ == "__main__":
    main()
