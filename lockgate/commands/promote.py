"""`lockgate promote`: make a release serve."""

import click

from lockgate.commands.moves import RELEASE, MoveLine, confirm, print_moved
from lockgate.commands.remote import Call, remote
from lockgate.output import note


@click.command()
@click.argument("release", type=RELEASE)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--why", required=True, help="The reason; it is kept with who and when.")
@remote
def promote(call: Call, release: tuple[str, int], why: str, *, yes: bool) -> None:
    """Make RELEASE, such as sentiment@7, serve its model.

    It first says what will change.
    """
    model, number = release
    path = f"/api/v1/models/{model}/releases/{number}/promotion"
    preview = call.server.send("POST", path, body={}, params={"preview": 1}).read(MoveLine).preview
    preview.print("Promote")
    confirm(f"Promote {preview.release}?", ask=not yes)
    body = {"why": why, "expected_revision": preview.revision}
    call.show(call.server.send("POST", path, body=body), MoveLine, lambda done: print_moved(done.moved))
    note(f"Go back with: lockgate rollback {model} --why '…'")
