"""`lockgate flags`: what is switched on, for whom, and why."""

import sys
from pathlib import Path

import click
import msgspec

from gateway.times import iso
from lockgate.commands.remote import Call, remote
from lockgate.commands.simulation import simulate, simulations
from lockgate.commands.unleash import init
from lockgate.errors import UnreadableFile
from lockgate.output import note, print_table, say

SIMULATION = click.option("--simulation", metavar="ID", help="The simulation on which the change rests.")
WHY = click.option("--why", required=True, help="The reason; it is kept with who and when.")


class SwitchLine(msgspec.Struct, frozen=True, kw_only=True):
    """How a flag stands."""

    flag: str
    on: bool
    reach: str
    means: str

    @property
    def stands(self) -> str:
        """On, for whom; or off."""
        return f"on for {self.reach}" if self.on else "off"


class FlagLine(msgspec.Struct, frozen=True, kw_only=True):
    """A flag as a line of the list."""

    switch: SwitchLine
    changed_by: str | None
    changed_us: int | None
    why: str | None


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who changed a flag, why and when."""

    by: str
    why: str
    at_us: int


class ChangeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a flag."""

    version: int
    before: str
    after: str
    authorship: Author


class FlagShown(msgspec.Struct, frozen=True, kw_only=True):
    """A flag with its definition and its latest changes."""

    switch: SwitchLine
    definition: msgspec.Raw
    state: str
    history: tuple[ChangeLine, ...]
    request: "RequestLine | None" = None


class RequestLine(msgspec.Struct, frozen=True, kw_only=True):
    """A change that waits for a second person."""

    lowered: tuple[str, ...]
    why: str
    by: str


class FlippedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A flag after a change."""

    switch: SwitchLine
    changed: bool
    state: str
    plan_revision: int
    elsewhere: str | None = None
    request: RequestLine | None = None


class FoundLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that would surprise."""

    level: str
    rule: str
    flag: str
    place: str
    said: str


class LintedLines(msgspec.Struct, frozen=True, kw_only=True):
    """The flags in force, held against the models."""

    state: str
    models: tuple[str, ...]
    findings: tuple[FoundLine, ...]


@click.group()
def flags() -> None:
    """What is switched on, for whom, and why."""


flags.add_command(init)
flags.add_command(simulate)
flags.add_command(simulations)


@flags.command("list")
@click.option("--model", help="Only the flags of this model.")
@remote
def list_(call: Call, model: str | None) -> None:
    """Every flag, on or off, for whom, and its last change."""
    answer = call.server.get("/api/v1/flags")
    call.show(answer, list[FlagLine], lambda found: _print_lines(found, model))


@flags.command()
@click.argument("flag")
@remote
def show(call: Call, flag: str) -> None:
    """A flag with its JSON, and who changed it, when and why."""
    call.show(call.server.get(f"/api/v1/flags/{flag}"), FlagShown, _print_shown)


@flags.command("on")
@click.argument("flag")
@WHY
@SIMULATION
@remote
def switch_on(call: Call, flag: str, why: str, simulation: str | None) -> None:
    """Switch a flag on; its strategies say for whom."""
    _switch(call, flag, why, simulation, on=True)


@flags.command("off")
@click.argument("flag")
@WHY
@SIMULATION
@remote
def switch_off(call: Call, flag: str, why: str, simulation: str | None) -> None:
    """Switch a flag off, which is the safe side."""
    _switch(call, flag, why, simulation, on=False)


@flags.command()
@click.argument("flag")
@WHY
@remote
def confirm(call: Call, flag: str, why: str) -> None:
    """Make, as a second person, the change that another one asked for, where the model has four eyes."""
    answer = call.server.post(f"/api/v1/flags/{flag}/confirmation", {"why": why})
    call.show(answer, FlippedLine, _print_flipped)


@flags.command("set")
@click.argument("flag")
@click.option("--rollout", type=click.IntRange(0, 100), help="On for this share of requests, in percent, sticky.")
@click.option("--file", type=click.Path(path_type=Path), help="The whole flag in Unleash's JSON; '-' reads it.")
@WHY
@SIMULATION
@remote
def set_(call: Call, flag: str, rollout: int | None, file: Path | None, why: str, simulation: str | None) -> None:
    """Change for whom a flag is on: a share of requests, or the whole definition in Unleash's JSON."""
    if (rollout is None) == (file is None):
        raise click.UsageError("Give either --rollout or --file.")
    definition = _definition(file) if file is not None else None
    body = {"rollout": rollout, "definition": definition, "why": why, "simulation": simulation}
    call.show(call.server.send("PUT", f"/api/v1/flags/{flag}", body=body), FlippedLine, _print_flipped)


@flags.command()
@click.option("--model", help="Only the flags of this model.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@remote
def lint(call: Call, model: str | None, *, strict: bool) -> None:
    """Name what in the flags in force would surprise: what the engine misreads, and what no request can meet.

    The exit code is 1 when there is an error, else 0.
    """
    answer = call.server.get("/api/v1/flags/lint", model=model)
    call.show(answer, LintedLines, _print_linted)
    found = answer.read(LintedLines).findings
    click.get_current_context().exit(int(any(strict or one.level == "error" for one in found)))


def _switch(call: Call, flag: str, why: str, simulation: str | None, *, on: bool) -> None:
    body = {"on": on, "why": why, "simulation": simulation}
    call.show(call.server.send("PUT", f"/api/v1/flags/{flag}/switch", body=body), FlippedLine, _print_flipped)


def _definition(file: Path) -> msgspec.Raw:
    """The JSON in a file or on standard input. Raises: UnreadableFile."""
    try:
        text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        msgspec.json.decode(text)
    except (OSError, msgspec.DecodeError) as error:
        raise UnreadableFile(path=file, why=str(error)) from error
    return msgspec.Raw(text)


def _print_lines(found: list[FlagLine], model: str | None) -> None:
    lines = [line for line in found if model in (None, line.switch.flag.rpartition(".")[0])]
    print_table(
        ("flag", "stands", "which means", "changed", "by", "why"),
        (
            (
                line.switch.flag,
                line.switch.stands,
                line.switch.means,
                iso(line.changed_us) if line.changed_us is not None else None,
                line.changed_by,
                line.why,
            )
            for line in lines
        ),
    )


def _print_shown(shown: FlagShown) -> None:
    say(f"{shown.switch.flag} is {shown.switch.stands}: {shown.switch.means}.")
    say(f"State in force: {shown.state}")
    if shown.request is not None:
        say(f"A change waits for a second person; {shown.request.by} asked for it: {shown.request.why}")
    say()
    say(msgspec.json.format(bytes(shown.definition)).decode())
    say()
    print_table(
        ("changed", "by", "why", "state before", "state after"),
        (
            (iso(each.authorship.at_us), each.authorship.by, each.authorship.why, each.before[:12], each.after[:12])
            for each in shown.history
        ),
    )


def _print_linted(linted: LintedLines) -> None:
    for one in linted.findings:
        where = f" {one.place}:" if one.place else ""
        say(f"{one.level} {one.flag}:{where} {one.said} [{one.rule}]")
    count = len(linted.findings)
    looked_at = f"the flags of {', '.join(linted.models) or 'no model'}, state {linted.state[:12]}…"
    note(f"{count or 'Nothing'} {'finding' if count == 1 else 'findings' if count else 'to find'} in {looked_at}")


def _print_flipped(flipped: FlippedLine) -> None:
    if flipped.elsewhere is not None:
        say("Switched in Unleash." if flipped.changed else "Nothing changed: it stands so in Unleash.")
        note(f"Gateways follow at their next fetch. The flag there: {flipped.elsewhere}")
        return
    stands = f"{flipped.switch.flag} is {flipped.switch.stands}: {flipped.switch.means}."
    if flipped.request is not None:
        say(f"It waits for a second person: lockgate flags confirm {flipped.switch.flag} --why '…'")
        for reason in flipped.request.lowered:
            note(reason)
        return
    say(stands if flipped.changed else f"Nothing changed. {stands}")
    note(f"Answers carry flag_state {flipped.state} once their gateway has plan revision {flipped.plan_revision}.")
