"""A supervised process, with its order on standard input.

Standard input stays open for as long as the supervisor lives: its end tells the child to end. On Linux the kernel ends
the child with its supervisor in any case, so that after a crash the ports are free for the next start.
"""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable

import structlog

from gateway.errors import GatewayError
from lockgate.crowd import Bounds, room_for
from lockgate.errors import CommandError
from lockgate.listeners import adopt
from lockgate.logs import configure_logs
from lockgate.processes.opened import open_process
from lockgate.processes.order import Order, decode_order
from lockgate.processes.running import run_process
from lockgate.processes.signals import end_on_signals
from lockgate.settings import Settings
from lockgate.tally import Tally

PR_SET_PDEATHSIG = 1
READY = b"ready\n"


BEHIND_GATEWAYS = 5
"""Steps of niceness: beside gateways that never rest, a quarter of the processor is left for people's verdicts."""


def main() -> int:
    """Be the process that the order describes, until told to end."""
    order = decode_order(sys.stdin.buffer.readline())
    if order.supervisor_pid is not None:
        end_with(order.supervisor_pid)
    if order.kind != "gateway":
        give_way()
    configure_logs(order.settings.log_level, order.settings.log_format, order.name)
    try:
        with running_loop() as runner:
            runner.run(run_supervised(order))
    except (GatewayError, CommandError) as error:
        structlog.get_logger().error("process_failed", why=str(error))
        return 1
    except Exception as error:  # noqa: BLE001 - the last words of a process belong in its log
        structlog.get_logger().critical("process_crashed", exc_info=error)
        return 1
    return 0


def give_way() -> None:
    """Let gateways go before this process where both want the same processor: callers wait, and pages can."""
    if sys.platform == "linux":
        os.nice(BEHIND_GATEWAYS)


def end_with(supervisor_pid: int) -> None:
    """Ask the kernel to end this process when its supervisor is gone; at once if it is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL.value)
    if os.getppid() != supervisor_pid:
        sys.exit(1)


def running_loop() -> asyncio.Runner:
    """A runner on uvloop."""
    import uvloop

    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


async def run_supervised(order: Order) -> None:
    """Run the ordered process; it ends with its supervisor, too, and tells it when it is ready."""
    told = end_on_signals()
    await end_with_standard_input(told)
    await run(order, told, lambda: _say(READY))


async def run(order: Order, told: asyncio.Event | None = None, when_ready: Callable[[], None] | None = None) -> None:
    """Run the ordered process until it is told to end."""
    told = told or end_on_signals()
    await run_process(
        order.name,
        open_process(order),
        http=None if order.http_descriptor is None else adopt(order.http_descriptor),
        watch=adopt(order.monitor_descriptor),
        drain_s=order.settings.drain_s,
        bounds=bounds_of(order.settings),
        tally=None if order.share is None else Tally(order.share.descriptor, order.share.row, order.share.rows),
        when_ready=when_ready or (lambda: None),
        told_to_end=told.wait,
    )


def bounds_of(settings: Settings) -> Bounds:
    """What the listener of this process bears."""
    return Bounds(
        connections_max=room_for(settings.connections_max),
        head_s=settings.body_s,
        answer_s=settings.answer_s,
        unread_max_bytes=settings.unread_max_bytes,
    )


async def end_with_standard_input(told: asyncio.Event) -> None:
    """Set the event when the supervisor's end of our standard input closes."""

    class Tether(asyncio.Protocol):
        def connection_lost(self, _error: Exception | None) -> None:
            told.set()

    await asyncio.get_running_loop().connect_read_pipe(Tether, sys.stdin.buffer)


def _say(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
