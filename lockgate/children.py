"""One supervised process: started, watched until it ends, and started again after a pause."""

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

import structlog

from gateway import metrics
from lockgate.health import ProcessHealth
from lockgate.listeners import address_of
from lockgate.processes.order import Order, encode_order

log = structlog.get_logger()
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0
STEADY_S = 30.0
"""A process that ran this long starts again with the first pause."""
TRIES = 3
"""A process that dies this often before it was ever ready is given up, which ends the start."""


def pause_s(deaths_in_a_row: int) -> float:
    """How long to wait before the next start."""
    return min(FIRST_PAUSE_S * 2.0 ** min(deaths_in_a_row - 1, 20), LONGEST_PAUSE_S)


class Child:
    """A process of ours, through all its lives; its sockets are shared with us, so that its successor has them too.

    The same holds for the tally of the gateways, where its order names one.
    """

    def __init__(self, order: Order, sockets: Sequence[socket.socket]) -> None:
        self.order = order
        self.ready = asyncio.Event()
        self.gave_up = asyncio.Event()
        self.begun = asyncio.Event()
        """Set once its process was started, and `settled` once that was ready or is given up."""
        self.settled = asyncio.Event()
        self.state = "starting"
        self.restarts = 0
        self.deaths_in_a_row = 0
        self._sockets = tuple(sockets)
        self._process: asyncio.subprocess.Process | None = None
        self._ending = False
        self._was_ready = False

    @property
    def pid(self) -> int | None:
        """Its number while it lives."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    @property
    def watch_url(self) -> str:
        """Where it answers about itself while it lives."""
        watch = next(one for one in self._sockets if one.fileno() == self.order.monitor_descriptor)
        return f"http://{address_of(watch)}"

    def down(self) -> ProcessHealth:
        """Its health in the supervisor's words, for as long as it does not speak for itself."""
        state = "it runs and does not answer" if self.ready.is_set() else self.state
        return ProcessHealth(process=self.order.name, ready=False, state=state, restarts=self.restarts)

    async def keep_alive(self) -> None:
        """Run the process again and again until `end` was called."""
        while not self._ending:
            started = time.monotonic()
            status = await self._live()
            if not self._ending:
                await self._pause(status, time.monotonic() - started)
        self.state = "ended"

    async def end(self, seconds: float) -> None:
        """Tell the process to end, and kill it when it has not after `seconds`."""
        self._ending = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        self.state = "draining"
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(seconds):
                await process.wait()
        except TimeoutError:
            log.warning("child_killed", child=self.order.name, after_s=seconds)
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _live(self) -> int:
        """One life: the exit status."""
        process = self._process = await self._spawn()
        assert process.stdout is not None
        said = await process.stdout.readline()
        if said:
            self._was_ready = True
            self.ready.set()
            self.settled.set()
            self.state = "ready"
            metrics.CHILD_UP.put(1, self.order.name)
        status = await process.wait()
        self.ready.clear()
        metrics.CHILD_UP.put(0, self.order.name)
        return status

    async def _spawn(self) -> asyncio.subprocess.Process:
        self.state = "starting"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "lockgate.processes", self.order.name),  # the name is for whoever lists processes
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=self._inherited(),
            process_group=0,  # Ctrl-C is for the supervisor, which ends its children in order
        )
        assert process.stdin is not None
        process.stdin.write(encode_order(self.order))
        self.begun.set()
        return process

    def _inherited(self) -> list[int]:
        share = self.order.share
        return [*(one.fileno() for one in self._sockets), *(() if share is None else (share.descriptor,))]

    async def _pause(self, status: int, lived_s: float) -> None:
        self.deaths_in_a_row = 1 if lived_s >= STEADY_S else self.deaths_in_a_row + 1
        if self.deaths_in_a_row >= TRIES and not self._was_ready:
            self.gave_up.set()
            self.settled.set()
        self.restarts += 1
        pause = pause_s(self.deaths_in_a_row)
        self.state = f"restarting: it {_ended(status)}"
        metrics.CHILD_RESTARTS.add(self.order.name)
        log.error("child_died", child=self.order.name, how=_ended(status), lived_s=round(lived_s, 3), pause_s=pause)
        await asyncio.sleep(pause)


def _ended(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
