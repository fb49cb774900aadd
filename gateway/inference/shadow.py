"""Runs the other release of a trial beside an answer, off its path: one run at a time, in a thread of its own.

A run is offered when an answer of the model goes out and its shadow flag is on; what people or a precedent answer is
compared with nothing. Offering never waits and never raises. Every offer ends in one `shadowed` entry:

| status | when |
|---|---|
| `answered` | the release answered; the entry names the items about which the two differ, each with its draw |
| `failed` | it has no session, or its run failed |
| `timed_out` | its run took longer than `RUN_MAX_S` and was ended |
| `dropped` | too much is queued, a run that was ended has not ended yet, or the process ends |

A queued run keeps the live plan that it was decided under in use, so its session stays open when the plan is swapped.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import msgspec
import structlog

from gateway.capture import Capture
from gateway.errors import GatewayError
from gateway.inference.beside import Beside, Ran, ShadowRun, compared, entry_about, run_beside
from gateway.inference.session import Stop
from gateway.metrics import SHADOW_RUNS
from gateway.record.entries import Decided, Shadowed
from gateway.record.errors import DiskReserveReached, TrafficLogUnavailable
from gateway.record.log import TrafficLog

QUEUE_MAX = 64
"""Runs that may wait; beyond, they are dropped and counted."""
QUEUE_MAX_BYTES = 32 << 20
"""What the inputs of the waiting runs may take together."""
RUN_MAX_S = 5.0


class ShadowRunner:
    """The runs beside the answers of one process; made by `open_shadow`."""

    def __init__(self, log: TrafficLog, capture: Capture, random: Random, run_max_s: float = RUN_MAX_S) -> None:
        self._log = log
        self._capture = capture
        self._random = random
        self._run_max_s = run_max_s
        self._queue: asyncio.Queue[ShadowRun] = asyncio.Queue(QUEUE_MAX)
        self._bytes = 0
        self._stuck = False
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="shadow")

    def offer(self, beside: Beside) -> None:
        """Queue the run that belongs to this answer, if one does; drop and count it where there is no room."""
        queued = run_beside(beside)
        if queued is None:
            return
        reason = self._why_not(queued)
        if reason:
            self._drop(queued, reason)
            return
        queued.hold.enter_context(beside.live.in_use())
        self._bytes += queued.bytes
        self._queue.put_nowait(queued)

    async def run(self) -> None:
        """Run what is queued, one after the other, until cancelled."""
        while True:
            queued = await self._take()
            with queued.hold:
                try:
                    await self._run(queued)
                except Exception as error:  # noqa: BLE001 - whatever one run does, the next one begins
                    structlog.get_logger().error("shadow_run_lost", model=_model(queued), exc_info=error)

    def close(self) -> None:
        """Drop and count what is still queued."""
        self._closed = True
        self._drop_queued("shutdown")
        self._thread.shutdown(wait=False)

    def _why_not(self, queued: ShadowRun) -> str:
        """Why there is no room for the run; '' where there is."""
        if self._closed:
            return "shutdown"
        if self._stuck:
            return "stuck"
        return "queue_full" if self._queue.full() or self._bytes + queued.bytes > QUEUE_MAX_BYTES else ""

    async def _take(self) -> ShadowRun:
        queued = await self._queue.get()
        self._bytes -= queued.bytes
        return queued

    async def _run(self, queued: ShadowRun) -> None:
        """One run, recorded; one that takes too long is ended, and none begins before it has."""
        try:
            session = queued.beside.live.live(queued.release).session
        except GatewayError as error:
            return await self._record(entry_about(queued, "failed", error.code))
        stop = Stop()
        running = asyncio.get_running_loop().run_in_executor(self._thread, compared, session, queued, stop)
        try:
            await asyncio.wait({running}, timeout=self._run_max_s)
        except asyncio.CancelledError:
            stop.now()
            self._record_soon(entry_about(queued, "dropped", "shutdown"))
            running.add_done_callback(_heard)
            raise
        if not running.done():
            stop.now()
            return await self._until_ended(queued, running)
        failure = running.exception()
        if failure is None:
            return await self._answered(queued, running.result())
        code = failure.code if isinstance(failure, GatewayError) else "crashed"
        return await self._record(entry_about(queued, "failed", code))

    async def _until_ended(self, queued: ShadowRun, running: asyncio.Future[Ran]) -> None:
        """The run is told to end; until it does, whatever waits or comes is dropped."""
        self._stuck = True
        running.add_done_callback(_heard)
        try:
            await self._record(entry_about(queued, "timed_out", ""))
            self._drop_queued("stuck")
            await asyncio.wait({running})
        finally:
            self._stuck = False

    async def _answered(self, queued: ShadowRun, ran: Ran) -> None:
        """Record the comparison, with the payloads durable once a differing item is drawn."""
        draws = tuple(self._random.random() for _ in ran.differing)
        entry = entry_about(
            queued, "answered", "", differing=ran.differing, answers=ran.answers, draws=draws,
            output_digest=ran.digest, outputs=ran.outputs, run_us=ran.run_us,
        )  # fmt: skip
        if entry.drawn_count:
            entry = msgspec.structs.replace(entry, decided=await self._kept(queued))
        await self._record(entry)

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
        self._record_soon(entry_about(queued, "dropped", reason))

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


def _model(queued: ShadowRun) -> str:
    return queued.beside.prediction.model.name


def _heard(done: asyncio.Future[Any]) -> None:
    """Take note of how something ended that nobody waits for."""
    if not done.cancelled():
        done.exception()
