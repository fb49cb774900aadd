"""`lockgate backup` and `lockgate restore`."""

import asyncio
from pathlib import Path

import click

from gateway.store.ledger import Ledger
from gateway.store.migrate import check
from lockgate.archive import Manifest
from lockgate.backups import back_up
from lockgate.backups import restore as restore_backup
from lockgate.commands.options import server_options, settled
from lockgate.output import print_json, say
from lockgate.settings import Settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@server_options
@click.option("--json", "as_json", is_flag=True, help="Print the backup's manifest as JSON.")
def backup(*, file: Path, as_json: bool, **given: object) -> None:
    """Write ledger, artifacts, payloads and traffic to one FILE, while everything runs."""
    manifest = asyncio.run(_back_up(settled(**given).settings, file.absolute()))
    _show(manifest, f"{file} holds", as_json=as_json)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@server_options
@click.option("--json", "as_json", is_flag=True, help="Print the backup's manifest as JSON.")
def restore(*, file: Path, as_json: bool, **given: object) -> None:
    """Restore a backup FILE into an empty data directory and an empty database, of either kind.

    Every part is compared with its digest before anything is written.
    """
    manifest = asyncio.run(restore_backup(settled(**given).settings, file.absolute()))
    _show(manifest, "Restored", as_json=as_json)


async def _back_up(settings: Settings, file: Path) -> Manifest:
    await check(settings.ledger_url)
    ledger = Ledger.open(settings.ledger_url)
    try:
        return await back_up(settings, ledger, file)
    finally:
        await ledger.close()


def _show(manifest: Manifest, verb: str, *, as_json: bool) -> None:
    if as_json:
        print_json(manifest)
        return
    size = sum(member.bytes for member in manifest.members) / 1e6
    say(f"{verb} {sum(manifest.rows.values())} rows and {len(manifest.members)} files, {size:.1f} MB.")
