"""How a process of any kind runs: it opens its parts, serves, says that it is ready, and ends in order when told."""

import socket
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Protocol

import structlog

from lockgate.crowd import Bounds
from lockgate.health import ProcessHealth
from lockgate.monitor import WatchedProcess, monitor
from lockgate.processes.memory import keep_pauses_short
from lockgate.tally import Tally
from lockgate.web import App, serving

log = structlog.get_logger()


class Running(Protocol):
    """The opened parts of a process."""

    @property
    def app(self) -> App | None:
        """What answers on the process's listener; None when it has none."""

    async def health(self) -> ProcessHealth:
        """How this process and what it depends on are."""

    async def complete(self) -> None:
        """Load and open what the first answers do not need; nobody is told that the process is ready before that."""

    async def drain(self) -> None:
        """Stop taking work on: not ready any more, and whoever waits is told so."""


async def run_process(
    name: str,
    opened: AbstractAsyncContextManager[Running],
    *,
    http: socket.socket | None,
    watch: socket.socket,
    drain_s: float,
    bounds: Bounds,
    tally: Tally | None = None,
    when_ready: Callable[[], None],
    told_to_end: Callable[[], Awaitable[object]],
) -> None:
    """Run until `told_to_end` returns; then requests in flight finish before the parts are closed in reverse."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(opened)
        await stack.enter_async_context(serving(monitor(WatchedProcess(name, running.health)), watch, drain_s=1.0))
        if running.app is not None and http is not None:
            await stack.enter_async_context(serving(running.app, http, drain_s=drain_s, bounds=bounds, tally=tally))
        await running.complete()
        keep_pauses_short()
        when_ready()
        log.info("process_ready")
        await told_to_end()
        log.info("process_draining")
        await running.drain()
    log.info("process_ended")
