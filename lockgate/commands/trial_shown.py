"""`lockgate trial show`: how a candidate does beside the champion."""

import click
import msgspec

from gateway.times import iso
from lockgate.commands.remote import Call, remote
from lockgate.output import note, print_table, say


class RunLine(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of one release in one role."""

    release: str
    role: str
    runs: int
    errors: int
    dropped: int
    p50_us: float | None
    p99_us: float | None


class EvidenceLine(msgspec.Struct, frozen=True, kw_only=True):
    """What people said of the differences."""

    wins: int
    losses: int
    both_right: int
    both_wrong: int
    cannot_tell: int
    open: int


class TrialLine(msgspec.Struct, frozen=True, kw_only=True):
    """A trial as far as it is printed."""

    candidate: str
    champion: str
    opened_us: int
    opened_by: str
    closed_us: int | None
    evidence: EvidenceLine
    runs: tuple[RunLine, ...]
    said: tuple[str, ...]


@click.command("show")
@click.argument("model")
@remote
def show_trial(call: Call, model: str) -> None:
    """How the model's open trial stands, or its last one."""
    call.show(call.server.get(f"/api/v1/models/{model}/trial"), TrialLine, _print)


def _print(trial: TrialLine) -> None:
    ended = f", ended {iso(trial.closed_us)}" if trial.closed_us is not None else ""
    opened = f"opened {iso(trial.opened_us)} by {trial.opened_by}"
    note(f"{trial.candidate} beside {trial.champion}: {opened}{ended}.")
    for sentence in trial.said:
        say(sentence)
    print_table(
        ("wins", "losses", "both right", "both wrong", "cannot tell", "open"),
        [msgspec.structs.astuple(trial.evidence)],
    )
    print_table(("release", "role", "runs", "p50", "p99", "errors", "dropped"), map(_cells, trial.runs))


def _cells(run: RunLine) -> tuple[object, ...]:
    return run.release, run.role, run.runs, _ms(run.p50_us), _ms(run.p99_us), run.errors, run.dropped


def _ms(us: float | None) -> str:
    return "" if us is None else f"{us / 1000:.2f} ms"
