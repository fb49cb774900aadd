"""`lockgate serve`: everything on this machine, supervised."""

import asyncio
from contextlib import AbstractAsyncContextManager

import click
import structlog

from gateway.store.revisions import file_revision, head
from lockgate.commands.options import server_options, settled
from lockgate.logs import configure_logs
from lockgate.output import say
from lockgate.presence import present
from lockgate.processes.machine import machine_of
from lockgate.processes.signals import end_on_signals
from lockgate.settings import Settings
from lockgate.supervisor import Sockets, Supervisor, bind_all, supervising

log = structlog.get_logger()


@click.command()
@server_options
@click.option("--gateways", type=int, help="How many gateway processes.")
def serve(**given: object) -> None:
    """Run gateway processes, the console and the worker on this machine, supervised.

    On first start the embedded ledger is made in the data directory. Ctrl-C or SIGTERM ends everything in order.
    """
    settings = settled(**given).settings
    machine_of(settings)  # what is wrong with it is told before anything starts
    configure_logs(settings.log_level, settings.log_format, "supervisor")
    sockets = bind_all(settings)
    with present(settings.data_directory):
        asyncio.run(_serve(settings, sockets))


async def _serve(settings: Settings, sockets: Sockets) -> None:
    told = end_on_signals()
    await prepare_ledger(settings)
    async with supervising(settings, sockets) as supervisor:
        await supervisor.under_way()
        async with watched(supervisor, sockets):
            if await supervisor.until_ready(told):
                say(greeting(settings, founded=await supervisor.founded()))
                await told.wait()
            log.info("told_to_end")


def watched(supervisor: Supervisor, sockets: Sockets) -> AbstractAsyncContextManager[None]:
    """The listener for machines answers; its library is loaded here, once the children load theirs."""
    from lockgate.monitor import monitor
    from lockgate.web import serving

    return serving(monitor(supervisor), sockets.metrics, drain_s=1)


async def prepare_ledger(settings: Settings) -> None:
    """Migrate the embedded ledger; one on a server is only checked, because others may use it.

    Raises: LedgerTooOld, LedgerTooNew, LedgerUnavailable.
    """
    if not settings.database_url and file_revision(settings.ledger_file) == head():
        return  # the usual start: the ledger's libraries are for the children to load

    from gateway.store.migrate import check, upgrade

    await (upgrade if settings.embedded else check)(settings.ledger_url)


def greeting(settings: Settings, *, founded: bool) -> str:
    """What a person reads when everything is up: where things are, and what to type next."""
    lines = [
        "",
        "  Lockgate is up.",
        f"    console   {settings.link_url}/console",
        f"    predict   {settings.link_url}/v2/models/MODEL/infer",
        *([f"    grpc      {settings.grpc_address}"] if settings.grpc_address else []),
        f"    metrics   http://{settings.metrics_address}/metrics   health  http://{settings.metrics_address}/health",
        f"    data      {settings.data_directory.absolute()}",
        "",
        f"  {next_step(settings, founded=founded)}",
        "  Ctrl-C ends it in order.",
    ]
    return "\n".join(lines) + "\n"


def next_step(settings: Settings, *, founded: bool) -> str:
    """What to do now: make the first admin, or open the console."""
    if founded:
        return f"Next: open {settings.link_url}/console"
    return "Next: type 'lockgate people link admin' in another terminal, and open the link it prints."
