"""`lockgate jobs`: what the worker trains, trained and shall train."""

import click
import msgspec

from gateway.times import iso
from lockgate.commands.remote import Call, remote
from lockgate.output import note, say


class ResultLine(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a training."""

    release: str | None = None
    evaluation: str | None = None
    unevaluated: str = ""


class JobLine(msgspec.Struct, frozen=True, kw_only=True):
    """A training as a job."""

    id: str
    kind: str
    model: str
    state: str
    progress: float
    dataset: str
    seed: int
    starts: int
    result: ResultLine
    error: str | None
    by: str
    created_us: int

    @property
    def row(self) -> tuple[object, ...]:
        """The job as a line of the table."""
        became = self.result.release or self.error
        return self.id, self.model, self.kind, self.state, f"{self.progress:.0%}", became, self.by, iso(self.created_us)


@click.group()
def jobs() -> None:
    """What the worker trains, trained and shall train."""


@jobs.command("list")
@click.argument("model", required=False)
@remote
def list_(call: Call, model: str | None) -> None:
    """The jobs of every model, or of MODEL, the newest first."""
    path = f"/api/v1/models/{model}/trainings" if model is not None else "/api/v1/jobs"
    heading = ("job", "model", "kind", "state", "done", "became", "by", "asked for")
    call.rows(call.server.get(path), JobLine, heading, lambda one: one.row)


@jobs.command()
@click.argument("job")
@remote
def show(call: Call, job: str) -> None:
    """Show a job: its state, how far it is, and what came of it."""
    call.show(call.server.get(f"/api/v1/jobs/{job}"), JobLine, print_job)


@jobs.command()
@click.argument("job")
@remote
def log(call: Call, job: str) -> None:
    """Print what a training's command has printed so far."""
    click.echo(call.server.get(f"/api/v1/jobs/{job}/log").body, nl=False)


@jobs.command()
@click.argument("job")
@remote
def cancel(call: Call, job: str) -> None:
    """Cancel a training; its command and all that it started are gone within a second."""
    call.show(call.server.post(f"/api/v1/jobs/{job}/cancel"), JobLine, print_job)


def print_job(job: JobLine) -> None:
    """Print a job."""
    say(f"{job.id} {job.state}, {job.progress:.0%}: train {job.model} on {job.dataset[:12]}…, seed {job.seed}")
    if job.starts > 1:
        say(f"It was begun {job.starts} times.")
    if job.result.release is not None:
        say(f"It made {job.result.release}.")
    if job.result.unevaluated:
        say(f"It was not evaluated: {job.result.unevaluated}")
    if job.error is not None:
        say(job.error)
        note(f"Its log: lockgate jobs log {job.id}")
