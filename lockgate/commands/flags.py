"""`lockgate flags` and `lockgate halt`: what is switched on, and the switch that outranks it."""

import sys
from pathlib import Path

import click
import msgspec

from lockgate.commands.remote import Call, remote
from lockgate.output import note, say

WHY = click.option("--why", required=True, help="The reason; it is kept with who and when.")


class FlagLine(msgspec.Struct, frozen=True, kw_only=True):
    """A flag as a line of the list."""

    name: str
    enabled: bool
    description: str = ""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a halt would do, going by the last hour."""

    holds_an_hour: float
    mode: str | None = None


@click.group()
def flags() -> None:
    """What is switched on, for whom, and why."""


@flags.command("list")
@click.option("--model", help="Only the flags of this model.")
@remote
def list_(call: Call, model: str | None) -> None:
    """Every flag and whether it is on."""
    call.rows(
        call.server.get("/api/v1/flags", model=model),
        FlagLine,
        ("flag", "", "meaning"),
        lambda one: (one.name, "on" if one.enabled else "off", one.description),
    )


@flags.command()
@click.argument("flag")
@remote
def show(call: Call, flag: str) -> None:
    """A flag with its strategies and its latest changes."""
    say(msgspec.json.format(call.server.get(f"/api/v1/flags/{flag}").body).decode())


@flags.command("on")
@click.argument("flag")
@WHY
@remote
def switch_on(call: Call, flag: str, why: str) -> None:
    """Switch a flag on; its strategies say for whom."""
    call.done(call.server.post(f"/api/v1/flags/{flag}", {"enabled": True, "why": why}), f"{flag} is on.")


@flags.command("off")
@click.argument("flag")
@WHY
@remote
def switch_off(call: Call, flag: str, why: str) -> None:
    """Switch a flag off, which is the safe side."""
    call.done(call.server.post(f"/api/v1/flags/{flag}", {"enabled": False, "why": why}), f"{flag} is off.")


@flags.command("set")
@click.argument("flag")
@click.option("--rollout", type=click.IntRange(0, 100), help="On for this share of contexts, in percent, sticky.")
@click.option("--file", type=click.Path(path_type=Path), help="The whole flag in Unleash's JSON; '-' reads it.")
@WHY
@remote
def set_(call: Call, flag: str, rollout: int | None, file: Path | None, why: str) -> None:
    """Change for whom a flag is on: a share of contexts, or the whole definition in Unleash's JSON."""
    if (rollout is None) == (file is None):
        raise click.UsageError("Give either --rollout or --file.")
    definition = None
    if file is not None:
        definition = msgspec.Raw(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes())
    body = {"rollout": rollout, "definition": definition, "why": why}
    call.done(call.server.post(f"/api/v1/flags/{flag}", body), f"{flag} is changed.")


@click.command()
@click.argument("model")
@click.option("--to", "mode", type=click.Choice(["review", "fallback", "refuse"]), help="What callers get instead.")
@click.option("--lift", is_flag=True, help="End the halt.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@WHY
@remote
def halt(call: Call, model: str, mode: str | None, why: str, *, lift: bool, yes: bool) -> None:
    """Stop automatic answers of a model, whatever its flags say; or lift that.

    It first says how many holds an hour to expect.
    """
    if lift == (mode is not None):
        raise click.UsageError("Give either --to or --lift.")
    path = f"/api/v1/models/{model}/halt"
    if lift:
        call.done(call.server.delete(path, why=why), f"{model} answers by its flags again.")
        return
    expected = call.server.get(path).read(Expected)
    note(f"{model} had {expected.holds_an_hour:.0f} requests in the last hour; with '{mode}' {_meaning(mode)}.")
    if not yes and sys.stdin.isatty():
        click.confirm(f"Halt {model}?", abort=True, err=True)
    call.done(call.server.post(path, {"mode": mode, "why": why}), f"{model} is halted: {mode}.")


def _meaning(mode: str | None) -> str:
    return {
        "review": "each one like them waits for a person",
        "fallback": "each one like them gets the declared fallback",
        "refuse": "each one like them is refused with 503",
    }[mode or "review"]
