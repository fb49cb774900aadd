"""`lockgate rollback`: go back to the last good release; with --local on the ledger itself, without the console."""

import asyncio
import os
import pwd
from pathlib import Path

import click
import msgspec

from lockgate.commands.moves import (
    RELEASE,
    MovedLine,
    MoveLine,
    PreviewLine,
    confirm,
    print_moved,
)
from lockgate.commands.options import settled
from lockgate.commands.remote import Call, remote
from lockgate.output import note, print_json
from lockgate.settings import Settings


@click.command()
@click.argument("model")
@click.option("--to", "target", type=RELEASE, help="A release that has served, if not the latest good one.")
@click.option("--local", is_flag=True, help="Work on the ledger itself: for when the console is away.")
@click.option("--data-directory", type=click.Path(path_type=Path), help="With --local: where everything is kept.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--why", required=True, help="The reason; it is kept with who and when.")
@remote
def rollback(
    call: Call,
    model: str,
    target: tuple[str, int] | None,
    data_directory: Path | None,
    why: str,
    *,
    local: bool,
    yes: bool,
) -> None:
    """Go back to the latest release of MODEL that served and was not withdrawn, with its policy, labels and guideline.

    It first says which one that is and what will change. The release that served is marked withdrawn. No flag is
    touched. With --local it needs no console, no Redis and no flag server, only the ledger, and whoever may read its
    settings may do it; it is recorded as theirs.
    """
    if target is not None and target[0] != model:
        raise click.UsageError(f"{target[0]}@{target[1]} is no release of {model}.")
    to = target[1] if target is not None else None
    if local:
        asyncio.run(_locally(settled(data_directory=data_directory).settings, call, model, to, why, ask=not yes))
    else:
        _remotely(call, model, to, why, ask=not yes)


def _remotely(call: Call, model: str, to: int | None, why: str, *, ask: bool) -> None:
    path = f"/api/v1/models/{model}/rollback"
    preview = call.server.send("POST", path, body={"to": to}, params={"preview": 1}).read(MoveLine).preview
    _show(preview, model, ask=ask)
    body = {"to": preview.number, "why": why, "expected_revision": preview.revision}
    call.show(call.server.send("POST", path, body=body), MoveLine, lambda done: print_moved(done.moved))


def _show(preview: PreviewLine, model: str, *, ask: bool) -> None:
    preview.print("Roll back to")
    note("No flag is touched: a payload that names another release stays ignored.")
    confirm(f"Roll {model} back?", ask=ask)


async def _locally(settings: Settings, call: Call, model: str, to: int | None, why: str, *, ask: bool) -> None:
    from gateway.store.ledger import Ledger
    from gateway.store.migrate import check
    from review.release.rollback import Rollback, preview_rollback, roll_back_apart
    from review.store.people import default_tenant

    await check(settings.ledger_url)
    ledger = Ledger.open(settings.ledger_url)
    try:
        async with ledger.reading() as r:
            tenant_id = await default_tenant(r)
        preview = await preview_rollback(ledger, tenant_id, model, to)
        _show(msgspec.convert(preview, PreviewLine, from_attributes=True), model, ask=ask)
        asked = Rollback(why=why, to=preview.number, expected_revision=preview.revision)
        moved = await roll_back_apart(ledger, tenant_id, model, asked, by=_whoever())
    finally:
        await ledger.close()
    if call.as_json:
        print_json({"preview": preview, "moved": moved})
    else:
        print_moved(msgspec.convert(moved, MovedLine, from_attributes=True))


def _whoever() -> str:
    """How events and history name somebody who works on the ledger itself: by the account on this machine."""
    try:
        return f"local:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"local:{os.getuid()}"
