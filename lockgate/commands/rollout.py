"""`lockgate rollout`: a flag that is let on step by step, and how far it has come."""

import click
import msgspec

from gateway.times import iso
from lockgate.client import Answer
from lockgate.commands.remote import Call, remote
from lockgate.output import print_table, say

WHY = click.option("--why", required=True, help="The reason; it is kept with who and when.")


class StepLine(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the schedule."""

    written: str
    stands: str


class RolloutLine(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout."""

    flag: str
    state: str
    percent: int
    step: int
    steps: tuple[StepLine, ...]
    missing: tuple[str, ...]
    obstacle: str | None
    told: str | None
    requests: int
    verdicts: int
    reach: str
    by: str
    why: str
    since_us: int
    started_us: int


@click.group()
def rollout() -> None:
    """Let a flag on step by step; the worker takes each step when what it waits for has come."""


@rollout.command()
@click.argument("flag")
@click.option(
    "--step", "steps", multiple=True, required=True,
    help="A step, as in '10% 24h, 1000 requests, 20 verdicts, approval'; give one for each, in their order.",
)  # fmt: skip
@WHY
@click.option("--simulation", metavar="ID", help="The simulation on which it rests.")
@remote
def start(call: Call, flag: str, steps: tuple[str, ...], why: str, simulation: str | None) -> None:
    """Take the first step of a rollout of FLAG now, and the others as each one's conditions are met."""
    _show(call, call.server.send("POST", _path(flag), body={"steps": steps, "why": why, "simulation": simulation}))


@rollout.command()
@click.argument("flag")
@remote
def show(call: Call, flag: str) -> None:
    """How far the latest rollout of FLAG has come, and what it waits for."""
    _show(call, call.server.get(_path(flag)))


@rollout.command("list")
@remote
def list_(call: Call) -> None:
    """The latest rollouts of all flags."""
    call.show(call.server.get("/api/v1/rollouts"), list[RolloutLine], _print_all)


@rollout.command()
@click.argument("flag")
@WHY
@remote
def pause(call: Call, flag: str, why: str) -> None:
    """Let nothing happen by itself until it is resumed; the flag stays as it is."""
    _move(call, flag, "pause", why)


@rollout.command()
@click.argument("flag")
@WHY
@remote
def resume(call: Call, flag: str, why: str) -> None:
    """Go on from the present step, which begins anew; a flag that was changed by hand is put back to it."""
    _move(call, flag, "resume", why)


@rollout.command()
@click.argument("flag")
@WHY
@remote
def advance(call: Call, flag: str, why: str) -> None:
    """Take the next step now, whatever the present one waits for."""
    _move(call, flag, "advance", why)


@rollout.command()
@click.argument("flag")
@WHY
@remote
def approve(call: Call, flag: str, why: str) -> None:
    """Approve of what the present step has shown."""
    _move(call, flag, "approve", why)


@rollout.command()
@click.argument("flag")
@WHY
@remote
def abort(call: Call, flag: str, why: str) -> None:
    """End the rollout and switch FLAG off, which is the safe side."""
    _move(call, flag, "abort", why)


def _path(flag: str) -> str:
    return f"/api/v1/rollouts/{flag}"


def _move(call: Call, flag: str, move: str, why: str) -> None:
    _show(call, call.server.send("POST", f"{_path(flag)}/{move}", body={"why": why}))


def _show(call: Call, answer: Answer) -> None:
    call.show(answer, RolloutLine, _print)


def _print(line: RolloutLine) -> None:
    say(f"The rollout of {line.flag} is {line.state} at {line.percent} %, step {line.step} of {len(line.steps)} since "
        f"{iso(line.since_us)}.")  # fmt: skip
    if line.missing:
        say(f"It waits for {' and '.join(line.missing)}.")
    for said in (line.told, line.obstacle):
        if said is not None:
            say(said)
    say(f"The flag is on for {line.reach}; {line.requests:,} requests and {line.verdicts:,} verdicts counted since.")
    say(f"Started by {line.by} at {iso(line.started_us)}: {line.why}")
    print_table(("step", "stands"), ((step.written, step.stands) for step in line.steps))


def _print_all(lines: list[RolloutLine]) -> None:
    if not lines:
        say("No flag was ever let on step by step.")
        return
    print_table(
        ("flag", "state", "at", "step", "started", "by", "why"),
        (
            (
                one.flag,
                one.state,
                f"{one.percent} %",
                f"{one.step}/{len(one.steps)}",
                iso(one.started_us),
                one.by,
                one.why,
            )
            for one in lines
        ),
    )
