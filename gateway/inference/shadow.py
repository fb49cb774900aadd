"""Runs the other release of a trial beside an answer, off its path: one run at a time, in a thread of its own.

A long run goes far behind those of answers where they want the same processor. A short one keeps the loop's priority:
it takes little, and the less it is let run, the longer it keeps what a thread shares with the loop.

A run is offered when an answer of the model goes out and its shadow flag is on; what people or a precedent answer is
compared with nothing. Offering never waits and never raises. Every offer ends in one `shadowed` entry:

| status | when |
|---|---|
| `answered` | the release answered; the entry names the items about which the two differ, each with its draw |
| `failed` | it has no session, or its run failed |
| `timed_out` | its run took longer than `RUN_MAX_S`, and far longer than it was measured to take, and was ended |
| `dropped` | too much is queued, a run that was ended has not ended yet, or the process ends |

A queued run keeps the live plan that it was decided under in use, so its session stays open when the plan is swapped.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from math import inf
from random import Random
from typing import Any

import msgspec
import structlog

from gateway.capture import Capture
from gateway.errors import GatewayError
from gateway.inference.aside import Aside, TookTooLong
from gateway.inference.beside import Beside, Ran, ShadowRun, compared, entry_about, run_beside
from gateway.inference.priority import FAR_BEHIND
from gateway.inference.session import INLINE_MAX_US
from gateway.metrics import SHADOW_RUNS
from gateway.record.entries import Decided, Shadowed
from gateway.record.errors import DiskReserveReached, TrafficLogUnavailable
from gateway.record.log import TrafficLog

QUEUE_MAX = 64
"""Runs that may wait; beyond, they are dropped and counted."""
QUEUE_MAX_BYTES = 32 << 20
"""What the inputs of the waiting runs may take together."""
RUN_MAX_S = 5.0
_TIMES_MEASURED = 50
"""A run may take so many times what it was measured to take: beside a busy loop it has a fortieth of the processor."""


class ShadowRunner:
    """The runs beside the answers of one process; made by `open_shadow`."""

    def __init__(self, log: TrafficLog, capture: Capture, random: Random, run_max_s: float = RUN_MAX_S) -> None:
        self._log = log
        self._capture = capture
        self._random = random
        self._run_max_s = run_max_s
        self._queue: asyncio.Queue[ShadowRun] = asyncio.Queue()
        self._bytes = 0
        self._stuck = False
        self._closed = False
        self._short = Aside("shadow")
        self._long = Aside("shadow-long", steps_behind=FAR_BEHIND)
        self._also: list[Callable[[], Awaitable[None]]] = []

    @property
    def room(self) -> int:
        """How many more runs may wait."""
        return 0 if self._stuck else max(0, QUEUE_MAX - self._queue.qsize())

    def offer(self, beside: Beside) -> None:
        """Queue the run that belongs to this answer, if one does; drop and count it where there is no room."""
        queued = run_beside(beside)
        if queued is None:
            return
        reason = self._why_not(queued)
        if reason:
            self._drop(queued, reason)
            return
        self._put(queued)

    def tell(self, beside: Beside, ran: Ran) -> None:
        """Record a run that was made elsewhere; who makes them sees to it that there is `room`."""
        queued = run_beside(beside)
        if queued is not None:
            self._put(msgspec.structs.replace(queued, ran=ran))

    async def run(self) -> None:
        """Run what is queued, one after the other, until cancelled."""
        while True:
            queued = await self._take()
            with queued.hold:
                try:
                    await self._run(queued)
                except Exception as error:  # noqa: BLE001 - whatever one run does, the next one begins
                    structlog.get_logger().error("shadow_run_lost", model=_model(queued), exc_info=error)

    def ends_with(self, end: Callable[[], Awaitable[None]]) -> None:
        """Let something end when this does."""
        self._also.append(end)

    async def end_others(self) -> None:
        """End what ends with this."""
        for end in self._also:
            await end()

    def close(self) -> None:
        """Drop and count what is still queued."""
        self._closed = True
        self._drop_queued("shutdown")
        self._short.close()
        self._long.close()

    def _put(self, queued: ShadowRun) -> None:
        queued.hold.enter_context(queued.beside.live.in_use())
        self._bytes += queued.bytes
        self._queue.put_nowait(queued)

    def _why_not(self, queued: ShadowRun) -> str:
        """Why there is no room for the run; '' where there is."""
        if self._closed:
            return "shutdown"
        if self._stuck:
            return "stuck"
        return "queue_full" if not self.room or self._bytes + queued.bytes > QUEUE_MAX_BYTES else ""

    async def _take(self) -> ShadowRun:
        queued = await self._queue.get()
        self._bytes -= queued.bytes
        return queued

    async def _run(self, queued: ShadowRun) -> None:
        """One run, recorded; one that takes too long is ended, and none begins before it has."""
        if queued.ran is not None:
            return await self._answered(queued, queued.ran)
        try:
            session = queued.beside.live.live(queued.release).session
        except GatewayError as error:
            return await self._record(entry_about(queued, "failed", error.code))
        cost_us = session.cost.of(len(queued.beside.prediction.settled.items))
        aside = self._long if INLINE_MAX_US < cost_us < inf else self._short
        try:
            ran = await aside.run(partial(compared, session, queued), self._within_s(cost_us))
        except asyncio.CancelledError:
            self._record_soon(entry_about(queued, "dropped", "shutdown"))
            raise
        except TookTooLong:
            return await self._until_ended(queued, aside)
        except Exception as error:  # noqa: BLE001 - whatever one run does, the next one begins
            code = error.code if isinstance(error, GatewayError) else "crashed"
            return await self._record(entry_about(queued, "failed", code))
        return await self._answered(queued, ran)

    def _within_s(self, cost_us: float) -> float:
        """How long a run may take; what takes long alone has its share beside a busy loop."""
        return max(self._run_max_s, _TIMES_MEASURED * cost_us / 1e6) if cost_us < inf else self._run_max_s

    async def _until_ended(self, queued: ShadowRun, aside: Aside) -> None:
        """The run is told to end; until it does, whatever waits or comes is dropped."""
        self._stuck = True
        try:
            await self._record(entry_about(queued, "timed_out", ""))
            self._drop_queued("stuck")
            await aside.ended()
        finally:
            self._stuck = False

    async def _answered(self, queued: ShadowRun, ran: Ran) -> None:
        """Record the comparison, with the payloads durable once a differing item is drawn."""
        entry = self._comparison(queued, ran)
        if entry.drawn_count:
            entry = msgspec.structs.replace(entry, decided=await self._kept(queued))
        await self._record(entry)

    def _comparison(self, queued: ShadowRun, ran: Ran) -> Shadowed:
        draws = ran.draws if ran.draws is not None else tuple(self._random.random() for _ in ran.differing)
        return entry_about(
            queued, "answered", "", differing=ran.differing, answers=ran.answers, draws=draws,
            output_digest=ran.digest, outputs=ran.outputs, run_us=ran.run_us,
        )  # fmt: skip

    async def _kept(self, queued: ShadowRun) -> Decided | None:
        """The prediction's entry with durable payloads; without them a drawn item is counted as lost afterwards."""
        beside = queued.beside
        try:
            return await self._capture.keep(beside.prediction, beside.flags, beside.at)
        except OSError:
            return None
        except asyncio.CancelledError:
            self._record_soon(entry_about(queued, "dropped", "shutdown"))
            raise

    async def _record(self, entry: Shadowed) -> None:
        SHADOW_RUNS.add(entry.model, entry.shadow_release, entry.status)
        await self._log.record(self._named(entry), "unrecorded")

    def _record_soon(self, entry: Shadowed) -> None:
        SHADOW_RUNS.add(entry.model, entry.shadow_release, entry.status)
        try:
            written: Awaitable[Any] = self._log.append(self._named(entry))
        except (DiskReserveReached, TrafficLogUnavailable):
            self._log.counts.unrecorded += 1
        else:
            asyncio.ensure_future(written).add_done_callback(_heard)

    def _named(self, entry: Shadowed) -> Shadowed:
        return msgspec.structs.replace(entry, process=self._log.settings.process)

    def _drop(self, queued: ShadowRun, reason: str) -> None:
        """Drop a run; one that was made counts all the same, or those that differ would be dropped more often."""
        made = queued.ran
        self._record_soon(entry_about(queued, "dropped", reason) if made is None else self._comparison(queued, made))

    def _drop_queued(self, reason: str) -> None:
        while not self._queue.empty():
            queued = self._queue.get_nowait()
            self._bytes -= queued.bytes
            with queued.hold:
                self._drop(queued, reason)


@asynccontextmanager
async def open_shadow(
    log: TrafficLog, capture: Capture, random: Random, run_max_s: float = RUN_MAX_S
) -> AsyncIterator[ShadowRunner]:
    """A runner at work until the block ends; what is queued or running then is dropped and counted."""
    runner = ShadowRunner(log, capture, random, run_max_s)
    task = asyncio.create_task(runner.run(), name="shadow")
    try:
        yield runner
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        runner.close()
        await runner.end_others()


def _model(queued: ShadowRun) -> str:
    return queued.beside.prediction.model.name


def _heard(done: asyncio.Future[Any]) -> None:
    """Take note of how something ended that nobody waits for."""
    if not done.cancelled():
        done.exception()
