"""Runs the simulations that wait, one after the other, each in a child process that ends with everything it started.

One that its worker left behind is begun again by the next worker; what was cancelled is gone within a second.
"""

import asyncio
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from gateway.errors import LedgerUnavailable
from gateway.store.ledger import Ledger
from gateway.store.schema.plumbing import JobRow
from review.errors import ReviewError
from review.learning.child import in_tethered_child
from review.simulation.jobs import SIMULATE, STARTS, SimulateArgs, SimulationResult
from review.simulation.simulating import SimulateTask
from review.store.jobs import any_job, begin_job, end_job, is_running, next_job

LOOK_S = 0.2
"""How often it is looked whether a simulation was cancelled."""
log = structlog.get_logger()


class Simulations:
    """The simulations of a worker; one runs at a time."""

    def __init__(self, ledger: Ledger, traffic: Path, artifacts: Path) -> None:
        self._ledger = ledger
        self._traffic = traffic
        self._artifacts = artifacts

    async def run(self) -> bool:
        """Do the simulation whose turn it is; False when none waits."""
        if not await any_job(self._ledger, SIMULATE):
            return False
        async with self._ledger.reading() as r:
            job = await next_job(r, SIMULATE)
        if job is None:
            return False
        args = msgspec.json.decode(job.args, type=SimulateArgs)
        if args.starts >= STARTS:
            await self._fail(job, f"It was interrupted {args.starts} times, and is not begun again.")
        elif await self._begin(job, args):
            await self._simulate(job)
        return True

    async def _begin(self, job: JobRow, args: SimulateArgs) -> bool:
        """Say that the simulation has begun; False when it was cancelled meanwhile."""
        begun = msgspec.structs.replace(args, starts=args.starts + 1)
        async with self._ledger.writing() as w:
            return await begin_job(w, job.id, msgspec.json.encode(begun).decode(), await w.now_us())

    async def _simulate(self, job: JobRow) -> None:
        try:
            result = await self._watched(job)
        except ReviewError as error:
            await self._fail(job, str(error))
            return
        if result is not None:
            async with self._ledger.writing() as w:
                told = msgspec.json.encode(result).decode()
                await end_job(w, job.id, "done", await w.now_us(), result=told, progress=1.0)
            log.info("simulation_done", job=str(job.id), report=result.report)

    async def _watched(self, job: JobRow) -> SimulationResult | None:
        """What the child has found; None as soon as the job is cancelled, and then nothing of the child is left."""
        task = SimulateTask(
            ledger_url=self._ledger.url.render_as_string(hide_password=False), traffic=str(self._traffic),
            artifacts=str(self._artifacts), tenant_id=job.tenant_id, job_id=job.id,
        )  # fmt: skip
        simulating = asyncio.create_task(in_tethered_child("simulation.child", task, SimulationResult))
        try:
            while not simulating.done():
                await asyncio.wait({simulating}, timeout=LOOK_S)
                with suppress(LedgerUnavailable):
                    async with self._ledger.reading() as r:
                        if not await is_running(r, job.id):
                            return None
            return simulating.result()
        finally:
            simulating.cancel()
            await asyncio.wait({simulating})

    async def _fail(self, job: JobRow, why: str) -> None:
        async with self._ledger.writing() as w:
            await end_job(w, job.id, "failed", await w.now_us(), error=why)
        log.warning("simulation_failed", job=str(job.id), why=why)
