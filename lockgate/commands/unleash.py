"""`lockgate flags init`: the flags of models, made in an Unleash server."""

import click
import msgspec

from lockgate.commands.remote import Call, remote
from lockgate.output import note, say


class StepLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done to a flag, or would be."""

    flag: str
    said: str


class MadeLines(msgspec.Struct, frozen=True, kw_only=True):
    """What was done in Unleash, or would be."""

    project: str
    environment: str
    models: tuple[str, ...]
    steps: tuple[StepLine, ...]
    dry_run: bool


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]…")
@click.option("--unleash", is_flag=True, help="In the Unleash server that unleash_url names.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@remote
def init(call: Call, models: tuple[str, ...], *, unleash: bool, dry_run: bool) -> None:
    """Make the three flags of each MODEL, or of every model, in Unleash: off, described, tagged.

    What is there stays as it is, so that running it twice changes nothing.
    """
    if not unleash:
        raise click.UsageError("Say --unleash: embedded flags are made with their model.")
    answer = call.server.post("/api/v1/unleash/flags", {"models": models, "dry_run": dry_run})
    call.show(answer, MadeLines, _print_made)


def _print_made(made: MadeLines) -> None:
    for step in made.steps:
        say(f"{step.flag}: {'would ' if made.dry_run else ''}{step.said}")
    place = f"of {', '.join(made.models) or 'no model'} in project {made.project}, environment {made.environment}"
    if not made.steps:
        say(f"Nothing is missing: the flags {place}.")
    else:
        note(f"{'This would be' if made.dry_run else 'This was'} done to the flags {place}. None was switched.")
