"""Which context manager opens a process of a kind; each is imported only in the process that runs it."""

from contextlib import AbstractAsyncContextManager

from lockgate.processes.order import Order
from lockgate.processes.running import Running


def open_process(order: Order) -> AbstractAsyncContextManager[Running]:
    """The parts of the process that the order describes, not opened yet."""
    if order.kind == "gateway":
        from lockgate.processes.gateway import open_gateway

        return open_gateway(order.settings, order.name, order.console_url, order.grpc_address)
    if order.kind == "console":
        from lockgate.processes.console import open_console

        return open_console(order.settings, order.name, with_worker=order.with_worker)
    from lockgate.processes.worker import open_worker

    return open_worker(order.settings, order.name)
