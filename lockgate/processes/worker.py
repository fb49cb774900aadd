"""The worker: the background loop, for the one process that holds the lease."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.store.ledger import Ledger
from gateway.store.migrate import check
from gateway.times import now_us
from lockgate.health import Dependency, ProcessHealth
from lockgate.processes.allowed import allowed_upstreams
from lockgate.processes.shared import bell_state, ledger_state, objects_of, open_ledger
from lockgate.settings import Settings
from review.jobs import JobParts, make_jobs
from review.work import Work


class Worker:
    """A running worker."""

    app = None

    def __init__(self, name: str, ledger: Ledger, work: Work) -> None:
        self._name = name
        self._ledger = ledger
        self._work = work
        self._state = "ready"

    async def health(self) -> ProcessHealth:
        """How the worker and what it depends on are; a failing job is shown as a dependency that is down."""
        return ProcessHealth(
            process=self._name,
            ready=self._state == "ready",
            state=self._state,
            dependencies=(await ledger_state(self._ledger), bell_state(self._ledger), *job_states(self._work)),
        )

    async def complete(self) -> None:
        """Nothing is left to open."""

    async def drain(self) -> None:
        """Not ready any more."""
        self._state = "draining"


@asynccontextmanager
async def open_worker(settings: Settings, name: str) -> AsyncIterator[Worker]:
    """A worker on a migrated ledger. Raises: LedgerTooOld, LedgerTooNew, LedgerUnavailable."""
    await check(settings.ledger_url)
    async with open_ledger(settings) as ledger, working(settings, name, ledger) as work:
        yield Worker(name, ledger, work)


@asynccontextmanager
async def working(settings: Settings, name: str, ledger: Ledger) -> AsyncIterator[Work]:
    """The loop, running in the background until the block ends; the lease is then given back."""
    parts = JobParts(
        ledger=ledger,
        objects=objects_of(settings),
        traffic=settings.traffic,
        artifacts=settings.artifacts,
        payloads_url=settings.payloads_url,
        recipes=settings.recipes,
        upstreams=allowed_upstreams(settings),
        traffic_keep_s=settings.traffic_keep_s,
        unleash=settings.unleash_place,
    )
    work = Work(ledger, f"{socket.gethostname()}:{os.getpid()}:{name}", make_jobs(parts), now_us)
    task = asyncio.create_task(work.run(), name="worker")
    try:
        yield work
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def job_states(work: Work) -> tuple[Dependency, ...]:
    """The jobs whose latest run failed."""
    return tuple(Dependency(name=f"job {name}", state=f"down: {why}") for name, why in sorted(work.failing.items()))
