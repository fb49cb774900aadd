"""`lockgate timeline`: what happened to the models, by whom and why; with --follow as it happens."""

import time

import click
import msgspec

from gateway.times import iso
from lockgate.commands.remote import Call, remote
from lockgate.errors import ServerUnavailable, Unreachable
from lockgate.output import note, say

PATH = "/api/v1/timeline"
AGAIN_S = 1.0


class EntryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline."""

    position: int
    at_us: int
    model: str
    said: str
    why: str
    by: str

    def print(self) -> None:
        """Print when, which model, what, by whom and why."""
        why = f" “{self.why}”" if self.why else ""
        say(f"{iso(self.at_us)[:19]}Z  {self.model}: {self.said} ({self.by.removeprefix('person:')}){why}")


class StretchLine(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the timeline, the latest entry first."""

    entries: tuple[EntryLine, ...]
    newest: int | None
    oldest: int | None
    more: bool


@click.command()
@click.argument("model", required=False)
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many events to read.")
@click.option("--before", type=click.IntRange(0), metavar="POSITION", help="Only what was before this position.")
@click.option("--follow", is_flag=True, help="Go on as it happens, until interrupted; with --json one object a line.")
@remote
def timeline(call: Call, model: str | None, limit: int, before: int | None, *, follow: bool) -> None:
    """Tell what happened to MODEL, or to all models: releases, rollbacks, flags, halts, trials, evaluations, truths.

    The latest comes last.
    """
    if follow and before is not None:
        raise click.UsageError("--follow begins now, and --before ends earlier: give one of them.")
    answer = call.server.get(PATH, model=model, limit=limit, before=before)
    if not follow:
        call.show(answer, StretchLine, _print)
        return
    stretch = answer.read(StretchLine)
    for entry in reversed(stretch.entries):
        _tell(call, msgspec.json.encode(entry))
    _follow(call, model, str(stretch.newest or 0))


def _print(stretch: StretchLine) -> None:
    for entry in reversed(stretch.entries):
        entry.print()
    if not stretch.entries:
        say("Nothing has happened.")
    elif stretch.more:
        note(f"What was before: --before {stretch.oldest}")


def _follow(call: Call, model: str | None, position: str) -> None:
    """Print each entry as it comes; a server that goes away is asked again, and nothing is missed."""
    while True:
        try:
            for last, data in call.server.events(f"{PATH}/stream", {"model": model}, position):
                _tell(call, data)
                position = last
        except (Unreachable, ServerUnavailable) as error:
            note(f"{error} Asking again.")
        time.sleep(AGAIN_S)


def _tell(call: Call, entry: bytes) -> None:
    if call.as_json:
        say(entry.decode())
    else:
        msgspec.json.decode(entry, type=EntryLine).print()
