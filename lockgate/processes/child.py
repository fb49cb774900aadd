"""The entry of a supervised process: `python -m lockgate.processes.child`, with its order on standard input.

Standard input stays open for as long as the supervisor lives: its end tells the child to end. On Linux the kernel ends
the child with its supervisor in any case, so that after a crash the ports are free for the next start.
"""

import asyncio
import ctypes
import os
import signal
import sys

import structlog

from gateway.errors import GatewayError
from lockgate.errors import CommandError
from lockgate.listeners import adopt
from lockgate.logs import configure_logs
from lockgate.processes.opened import open_process
from lockgate.processes.order import Order, decode_order
from lockgate.processes.running import end_on_signals, run_process

PR_SET_PDEATHSIG = 1
READY = b"ready\n"


def main() -> int:
    """Be the process that the order describes, until told to end."""
    order = decode_order(sys.stdin.buffer.readline())
    if order.supervisor_pid is not None:
        end_with(order.supervisor_pid)
    configure_logs(order.settings.log_level, order.settings.log_format, order.name)
    try:
        with asyncio.Runner(loop_factory=fast_loop_factory()) as runner:
            runner.run(run(order))
    except (GatewayError, CommandError) as error:
        structlog.get_logger().error("process_failed", why=str(error))
        return 1
    return 0


def end_with(supervisor_pid: int) -> None:
    """Ask the kernel to end this process when its supervisor is gone; at once if it is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL.value)
    if os.getppid() != supervisor_pid:
        sys.exit(1)


def fast_loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    """uvloop's loop where there is one."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.Loop


async def run(order: Order) -> None:
    """Run the ordered process."""
    told = end_on_signals()
    await end_with_standard_input(told)
    await run_process(
        order.name,
        open_process(order),
        http=None if order.http_descriptor is None else adopt(order.http_descriptor),
        watch=adopt(order.monitor_descriptor),
        drain_s=order.settings.drain_s,
        when_ready=lambda: _say(READY),
        told_to_end=told.wait,
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


if __name__ == "__main__":
    sys.exit(main())
