"""`lockgate migrate` and `lockgate recover`: the commands that work on the ledger itself."""

import asyncio

import click

from gateway.store.ledger import Ledger
from gateway.store.migrate import check, current, upgrade
from lockgate.commands.options import server_options, settled
from lockgate.output import say
from lockgate.recovery import recover_ledger
from lockgate.settings import Settings


@click.command()
@server_options
def migrate(**given: object) -> None:
    """Bring the ledger to the tables of this release; run it before the new processes start."""
    settings = settled(**given).settings
    asyncio.run(_migrate(settings))


async def _migrate(settings: Settings) -> None:
    if settings.embedded:
        settings.data_directory.mkdir(parents=True, exist_ok=True)
    before = await current(settings.ledger_url)
    after = await upgrade(settings.ledger_url)
    say(f"The ledger is at {after} already." if before == after else f"The ledger is at {after} now.")


@click.command()
@server_options
def recover(**given: object) -> None:
    """Clear what a crash left behind, and say what was done.

    Nothing here is ever needed for what was acknowledged to be true: leases end by themselves, segments are sealed by
    the next worker. It only spares the waiting. Refused while a process of this Lockgate runs.
    """
    settings = settled(**given).settings
    asyncio.run(_recover(settings))


async def _recover(settings: Settings) -> None:
    await check(settings.ledger_url)
    ledger = Ledger.open(settings.ledger_url)
    try:
        for sentence in await recover_ledger(settings, ledger):
            say(sentence)
    finally:
        await ledger.close()
