"""A whole gateway in this process, so that its parts can be timed and its stacks taken: `python -m tests.bench.inside`.

It takes an Errand as JSON on standard input and prints what was Seen as JSON. First one connection sends requests, and
clocks around a few functions tell how long each of them takes; the stages of the pipeline are read from the traffic
log, where every request leaves them. Then 64 connections do, without those clocks, and a timer takes a stack each
millisecond.
"""

import asyncio
import inspect
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

from gateway.capture import Capture
from gateway.http.app import Gateway
from gateway.pipeline import Pipeline
from gateway.record.entries import Decided
from gateway.record.log import TrafficLog
from gateway.record.reader import tail
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

SPOTS = {"handle": (Pipeline, "handle"), "record": (Capture, "record"), "append": (TrafficLog, "record")}
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
    stages: dict[str, float]
    stacks: Frame


class Clocks:
    """What the clocks have shown, in nanoseconds."""

    def __init__(self) -> None:
        self.taken: dict[str, list[int]] = {"app": [], "send": [], **{name: [] for name in SPOTS}}
        self.processor_ns: list[int] = []

    @contextmanager
    def around(self) -> Iterator[None]:
        """Put the clocks in place for a while."""
        before: list[tuple[type, str, Any]] = []
        for name, (owner, function) in SPOTS.items():
            before.append((owner, function, getattr(owner, function)))
            setattr(owner, function, self._timed(name, before[-1][2]))
        before.append((Gateway, "__call__", Gateway.__call__))
        setattr(Gateway, "__call__", self._app(Gateway.__call__))  # noqa: B010 - a method is not assigned to
        try:
            yield
        finally:
            for owner, function, old in before:
                setattr(owner, function, old)

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        taken = self.taken[name]

        async def waited(*given: Any, **named: Any) -> Any:
            began = perf_counter_ns()
            answer = await function(*given, **named)
            taken.append(perf_counter_ns() - began)
            return answer

        def called(*given: Any, **named: Any) -> Any:
            began = perf_counter_ns()
            answer = function(*given, **named)
            taken.append(perf_counter_ns() - began)
            return answer

        return waited if inspect.iscoroutinefunction(function) else called

    def _app(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The application with a clock around it, and one around each thing it sends, which is summed."""

        async def timed(app: Gateway, scope: Any, receive: Any, send: Any) -> None:
            sending = 0

            async def timed_send(message: Any) -> None:
                nonlocal sending
                began = perf_counter_ns()
                await send(message)
                sending += perf_counter_ns() - began

            began = perf_counter_ns()
            await function(app, scope, receive, timed_send)
            self.taken["app"].append(perf_counter_ns() - began)
            self.taken["send"].append(sending)
            self.processor_ns.append(thread_time_ns())

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
            one = await asyncio.to_thread(endpoint.press, 1)
        stages = _stages(settings.traffic / "open", len(clocks.taken["app"]))
        with sampler.sampling():
            await asyncio.to_thread(endpoint.press, 64)
    processor_ns = (clocks.processor_ns[-1] - clocks.processor_ns[0]) / (len(clocks.processor_ns) - 1)
    return Seen(
        answers=len(clocks.taken["app"]),
        processor_us=processor_ns / 1000,
        p50_us=one.p50_us,
        spots={name: typical(taken) / 1000 for name, taken in clocks.taken.items()},
        stages=stages,
        stacks=tree_of(sampler.stacks),
    )


def _stages(directory: Path, requests: int) -> dict[str, float]:
    """The stages of the latest requests, as the traffic log has them; it leaves out what a microsecond has begun."""
    recorded = (recorded.entry for stretch in tail(directory, {}) for recorded in stretch.entries)
    found = sorted((entry for entry in recorded if isinstance(entry, Decided)), key=lambda entry: entry.at_us)
    latest = [entry.stages for entry in found[-requests:]]
    names = type(latest[0]).__struct_fields__
    return {name.removesuffix("_us"): typical([getattr(each, name) for each in latest]) + 0.5 for name in names}


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
