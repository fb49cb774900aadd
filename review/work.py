"""The background loop: named jobs, run by the one process that holds the worker's lease.

Each job runs in a task of its own and never beside itself; an error in one is logged and counted, and the others go on.
The clock is an argument: a job is told the time and reads none. Whoever loses the lease stops its jobs before another
process can take it, because it stops when its own renewal is late.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import msgspec
import structlog

from flags.errors import FlagsError
from gateway import metrics
from gateway.errors import LedgerUnavailable
from gateway.store.leases import drop_lease, take_lease
from gateway.store.ledger import Ledger

log = structlog.get_logger()
LEASE = "worker"
LEASE_S = 10.0
RENEW_S = 3.0

Clock = Callable[[], int]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is done again and again: `run` is told the time in microseconds."""

    name: str
    every_s: float
    run: Callable[[int], Awaitable[object]]
    on_bell: bool = False
    """Also runs as soon as the bell rings; such a job looks before it writes, or it would wake itself."""


class Work:
    """The jobs of a worker, and what is known about them."""

    def __init__(self, ledger: Ledger, owner: str, jobs: Sequence[Job], clock: Clock) -> None:
        self.jobs = tuple(jobs)
        self.holds_lease = False
        self.failing: dict[str, str] = {}
        """The jobs whose latest run failed, with the kind of error."""
        self._ledger = ledger
        self._owner = owner
        self._clock = clock

    async def run(self) -> None:
        """Take the lease, work while it is held, wait while another process holds it; until cancelled."""
        try:
            while True:
                if await self._take():
                    await self._work_while_held()
                await asyncio.sleep(RENEW_S)
        finally:
            await self._give_back()

    async def once(self, job: Job) -> None:
        """One run of a job; an error in it is logged and counted, never raised."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            await job.run(self._clock())
        except Exception as error:  # noqa: BLE001 - one job's fault is not the others'
            self._note_failure(job, error)
        else:
            self.failing.pop(job.name, None)
            metrics.JOB_RUNS.add(job.name, "done")
        metrics.JOB_SECONDS.observe(loop.time() - started, job.name)

    async def _work_while_held(self) -> None:
        tasks = [asyncio.create_task(self._repeat(job), name=f"job-{job.name}") for job in self.jobs]
        log.info("worker_lease_taken", owner=self._owner)
        try:
            while self.holds_lease:
                await asyncio.sleep(RENEW_S)
                self.holds_lease = await self._take()
        finally:
            self.holds_lease = False
            metrics.LEASE_HELD.put(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            log.info("worker_lease_over", owner=self._owner)

    async def _repeat(self, job: Job) -> None:
        with self._ledger.bell.listen() as bell:
            while True:
                await self.once(job)
                await (bell.wait(job.every_s) if job.on_bell else asyncio.sleep(job.every_s))

    async def _take(self) -> bool:
        """Whether the lease is ours now; a renewal that takes too long counts as lost."""
        try:
            async with asyncio.timeout(LEASE_S - RENEW_S - 1), self._ledger.writing() as w:
                held = await take_lease(w, LEASE, self._owner, LEASE_S) is not None
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the lease is not ours, and is tried again
            log.warning("worker_lease_unreachable", why=type(error).__name__)
            held = False
        self.holds_lease = held
        metrics.LEASE_HELD.put(float(held))
        return held

    async def _give_back(self) -> None:
        with suppress(LedgerUnavailable):
            async with self._ledger.writing() as w:
                await drop_lease(w, LEASE, self._owner)

    def _note_failure(self, job: Job, error: Exception) -> None:
        metrics.JOB_RUNS.add(job.name, "failed")
        if isinstance(error, LedgerUnavailable):
            log.warning("job_waits_for_ledger", job=job.name)
        elif isinstance(error, FlagsError):
            log.warning("job_waits_for_flags", job=job.name, why=str(error))
        else:
            log.error("job_failed", job=job.name, exc_info=error)
        self.failing[job.name] = type(error).__name__
