"""`lockgate halt`: stop the automatic answers of a model, whatever its flags say; or lift that."""

import sys
from typing import Literal

import click
import msgspec

from lockgate.commands.remote import Call, remote
from lockgate.output import note, say

Mode = Literal["review", "fallback", "refuse"]
MEANS = {
    "review": "every item waits for a person",
    "fallback": "every caller gets the declared fallback",
    "refuse": "every caller is refused with 503",
}


class ExpectedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a halt would mean, going by the traffic of a window."""

    window_s: float
    requests_per_hour: float
    holds_per_hour: float
    holds_per_hour_now: float
    holds_waiting: int

    @property
    def sentence(self) -> str:
        """The figures in words."""
        window = f"{self.window_s / 3600:g} h"
        return (
            f"Expect {self.holds_per_hour:.0f} holds an hour ({self.holds_per_hour_now:.0f} now, "
            f"{self.requests_per_hour:.0f} requests an hour over the last {window}; {self.holds_waiting} are waiting)."
        )


class HaltedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A model after a halt."""

    plan_revision: int


class HaltLine(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a halt or its preview."""

    expected: ExpectedLine
    halted: HaltedLine | None


@click.command()
@click.argument("model")
@click.option("--to", "mode", type=click.Choice(list(MEANS)), help="What callers get instead.")
@click.option("--lift", is_flag=True, help="End the halt.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--why", required=True, help="The reason; it is kept with who and when.")
@remote
def halt(call: Call, model: str, mode: Mode | None, why: str, *, lift: bool, yes: bool) -> None:
    """Stop automatic answers of a model, whatever its flags say; or lift that.

    It first says how many holds an hour to expect.
    """
    if lift == (mode is not None):
        raise click.UsageError("Give either --to or --lift.")
    path = f"/api/v1/models/{model}/halt"
    if lift:
        call.show(call.server.delete(path, why=why), HaltedLine, lambda done: _print_lifted(model, done))
    elif mode is not None:
        _halt(call, model, mode, why, ask=not yes)


def _halt(call: Call, model: str, mode: Mode, why: str, *, ask: bool) -> None:
    path, body = f"/api/v1/models/{model}/halt", {"mode": mode, "why": why}
    expected = call.server.send("PUT", path, body=body, params={"preview": 1}).read(HaltLine).expected
    note(f"Halting {model} to '{mode}' means that {MEANS[mode]}. {expected.sentence}")
    if ask and sys.stdin.isatty():
        click.confirm(f"Halt {model}?", abort=True, err=True)
    call.show(call.server.send("PUT", path, body=body), HaltLine, lambda done: _print_halted(model, mode, done))


def _print_halted(model: str, mode: Mode, done: HaltLine) -> None:
    assert done.halted is not None
    say(f"{model} is halted: {MEANS[mode]}, from plan revision {done.halted.plan_revision} on.")
    note(f"Lift it with: lockgate halt {model} --lift --why '…'")


def _print_lifted(model: str, done: HaltedLine) -> None:
    say(f"{model} answers by its flags and policy again, from plan revision {done.plan_revision} on.")
