"""`lockgate halt`: stop the automatic answers of a model, whatever its flags say; or lift that."""

import sys
from collections.abc import Callable
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

    said: tuple[str, ...]


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
@click.option("--preview", is_flag=True, help="Only say what it would do to the queue.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--why", default="", help="The reason; it is kept with who and when.")
@remote
def halt(call: Call, model: str, mode: Mode | None, why: str, *, lift: bool, preview: bool, yes: bool) -> None:
    """Stop automatic answers of a model, whatever its flags say; or lift that.

    It first says what that will do to the queue: the holds to expect, and whether the reviewers can keep up.
    """
    if lift == (mode is not None):
        raise click.UsageError("Give either --to or --lift.")
    if not why and not preview:
        raise click.UsageError("Missing option '--why'.")
    path = f"/api/v1/models/{model}/halt"
    if mode is None:
        call.show(call.server.delete(path, why=why), HaltedLine, lambda done: _print_lifted(model, done))
    elif preview:
        answer = call.server.send("PUT", path, body={"mode": mode}, params={"preview": 1})
        call.show(answer, HaltLine, lambda told: _print_expected(say, model, mode, told))
    else:
        _halt(call, model, mode, why, ask=not yes)


def _halt(call: Call, model: str, mode: Mode, why: str, *, ask: bool) -> None:
    path, body = f"/api/v1/models/{model}/halt", {"mode": mode, "why": why}
    told = call.server.send("PUT", path, body=body, params={"preview": 1}).read(HaltLine)
    _print_expected(note, model, mode, told)
    if ask and sys.stdin.isatty():
        click.confirm(f"Halt {model}?", abort=True, err=True)
    call.show(call.server.send("PUT", path, body=body), HaltLine, lambda done: _print_halted(model, mode, done))


def _print_expected(line: Callable[[str], None], model: str, mode: Mode, told: HaltLine) -> None:
    line(f"Halting {model} to '{mode}' means that {MEANS[mode]}.")
    for sentence in told.expected.said:
        line(sentence)


def _print_halted(model: str, mode: Mode, done: HaltLine) -> None:
    assert done.halted is not None
    say(f"{model} is halted: {MEANS[mode]}, from plan revision {done.halted.plan_revision} on.")
    note(f"Lift it with: lockgate halt {model} --lift --why '…'")


def _print_lifted(model: str, done: HaltedLine) -> None:
    say(f"{model} answers by its flags and policy again, from plan revision {done.plan_revision} on.")
