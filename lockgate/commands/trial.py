"""`lockgate trial`: put a candidate beside the champion, see how it does, let it answer, and end that."""

import click
import msgspec

from lockgate.commands.moves import RELEASE
from lockgate.commands.remote import Call, remote
from lockgate.commands.trial_shown import show_trial
from lockgate.output import note, say

WHY = click.option("--why", required=True, help="The reason; it is kept with who and when.")


class TrialLine(msgspec.Struct, frozen=True, kw_only=True):
    """A model's trial after a change."""

    model: str
    candidate: str | None
    canary_open: bool
    plan_revision: int


@click.group()
def trial() -> None:
    """Put a candidate beside the champion, see how it does, let it answer, and end that."""


trial.add_command(show_trial)


@trial.command("open")
@click.argument("release", type=RELEASE)
@click.option("--disagreements", type=click.FloatRange(0, 1), default=1.0, help="The share of them that people see.")
@WHY
@remote
def open_(call: Call, release: tuple[str, int], disagreements: float, why: str) -> None:
    """Put RELEASE, such as sentiment@7, on trial; its canary stays closed."""
    body = {"release": release[1], "disagreement_probability": disagreements, "why": why}
    call.show(call.server.send("PUT", f"/api/v1/models/{release[0]}/trial", body=body), TrialLine, _print)


@trial.command()
@click.argument("model")
@WHY
@remote
def canary(call: Call, model: str, why: str) -> None:
    """Let the candidate of MODEL answer where the flag MODEL.candidate is on."""
    call.show(call.server.send("PUT", f"/api/v1/models/{model}/trial/canary", body={"why": why}), TrialLine, _print)


@trial.command()
@click.argument("model")
@WHY
@remote
def close(call: Call, model: str, why: str) -> None:
    """End the trial of MODEL: only the champion answers and runs."""
    call.show(call.server.delete(f"/api/v1/models/{model}/trial", why=why), TrialLine, _print)


def _print(line: TrialLine) -> None:
    if line.candidate is None:
        say(f"No trial of {line.model} is open, from plan revision {line.plan_revision} on.")
        return
    may = "may answer" if line.canary_open else "answers nobody"
    say(f"{line.candidate} is on trial and {may}, from plan revision {line.plan_revision} on.")
    flag = f"{line.model}.{'candidate' if line.canary_open else 'shadow'}"
    note(f"For which requests, the flag {flag} says: lockgate flags on {flag} --why '…'")
