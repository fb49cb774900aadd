"""`lockgate gateway`, `console` and `worker`: one process each, for machines with a supervisor of their own."""

from contextlib import ExitStack

import click

from lockgate.commands.options import server_options, settled
from lockgate.listeners import address_of, bind, reserve
from lockgate.logs import configure_logs
from lockgate.presence import present
from lockgate.processes.child import run, running_loop
from lockgate.processes.order import Kind, Order
from lockgate.settings import Settings


@click.command()
@server_options
def gateway(**given: object) -> None:
    """Run one gateway process; it passes the API and the console on to the console's address.

    The ledger must be migrated ('lockgate migrate'). SIGTERM ends it in order.
    """
    settings = settled(**given).settings
    with ExitStack() as stack:
        address = ""
        if settings.grpc_address:
            address = address_of(stack.enter_context(reserve(settings.grpc_address, "grpc_address")))
        _run(settings, "gateway", settings.http_address, "http_address", grpc_address=address)


@click.command()
@server_options
@click.option("--console-address", metavar="HOST:PORT", help="Where the console listens.")
def console(**given: object) -> None:
    """Run the console process: the API and the pages for people.

    The ledger must be migrated ('lockgate migrate'). SIGTERM ends it in order.
    """
    settings = settled(**given).settings
    _run(settings, "console", settings.console_address, "console_address")


@click.command()
@server_options
def worker(**given: object) -> None:
    """Run the worker; any number may run, one of them holds the lease and works.

    The ledger must be migrated ('lockgate migrate'). SIGTERM ends it in order.
    """
    _run(settled(**given).settings, "worker", None, "")


def _run(settings: Settings, kind: Kind, address: str | None, setting: str, *, grpc_address: str = "") -> None:
    configure_logs(settings.log_level, settings.log_format, kind)
    http = bind(address, setting) if address is not None else None
    watch = bind(settings.metrics_address, "metrics_address")
    order = Order(
        kind=kind,
        name=kind,
        settings=settings,
        http_descriptor=http.detach() if http is not None else None,
        monitor_descriptor=watch.detach(),
        console_url=f"http://{settings.console_address}",
        grpc_address=grpc_address,
    )
    with present(settings.data_directory), running_loop() as runner:
        runner.run(run(order))
