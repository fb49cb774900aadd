"""`lockgate train`: train a model by its recipe now, or after so many corrections."""

import time

import click

from lockgate.commands.jobs import JobLine, print_job
from lockgate.commands.recipe import TrainingLine, print_training
from lockgate.commands.remote import Call, remote
from lockgate.output import note
from lockgate.progress import progress

LOOK_S = 0.5
OVER = frozenset({"done", "failed", "cancelled"})
FINE = 1000
"""How many steps a bar of progress has."""


class Training(click.Group):
    """A group whose first word is a model unless it is one of the group's own commands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The named command, else `start`."""
        return super().resolve_command(ctx, args if args and args[0] in self.commands else ["start", *args])


class Parameters(click.ParamType[tuple[str, bool | int | float | str]]):
    """A parameter and its value, `NAME=VALUE`; the value is JSON, or else a text."""

    name = "name=value"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, bool | int | float | str]:
        """Name and value."""
        import msgspec

        name, equals, text = str(value).partition("=")
        if not name or not equals:
            self.fail(f"'{value}' is not NAME=VALUE.", param, ctx)
        try:
            return name, msgspec.json.decode(text, type=bool | int | float | str)
        except msgspec.MsgspecError:
            return name, text


@click.group(cls=Training)
def train() -> None:
    """Train a model by its recipe: 'lockgate train MODEL --dataset DATASET', or by a trigger."""


@train.command()
@click.argument("model")
@click.option("--dataset", required=True, help="The dataset, by the first characters of its SHA-256.")
@click.option("--seed", type=click.IntRange(0, (1 << 32) - 1), help="In the place of the recipe's own.")
@click.option("--set", "parameters", type=Parameters(), multiple=True, help="A parameter in the place of the recipe's.")
@click.option("--why", default="", help="The reason; it is kept with who and when.")
@click.option("--no-wait", is_flag=True, help="Return as soon as the training is in the line.")
@remote
def start(
    call: Call,
    model: str,
    dataset: str,
    seed: int | None,
    parameters: tuple[tuple[str, bool | int | float | str], ...],
    why: str,
    *,
    no_wait: bool,
) -> None:
    """Train MODEL on the training split of a dataset, and make a release of it; 'start' may be left out.

    The exit code is 0 when there is a release, else 1. Ended with Ctrl-C, the training goes on: cancel it with
    'lockgate jobs cancel'.
    """
    body = {"dataset": dataset, "seed": seed, "parameters": dict(parameters), "why": why}
    answer = call.server.post(f"/api/v1/models/{model}/trainings", body)
    job = answer.read(JobLine)
    note(f"Job {job.id} trains {model}; see 'lockgate jobs log {job.id}'.")
    if not no_wait:
        with progress(f"Training {model}", FINE) as advance:
            told = 0
            while job.state not in OVER:
                time.sleep(LOOK_S)
                answer = call.server.get(f"/api/v1/jobs/{job.id}")
                job = answer.read(JobLine)
                advance(int(job.progress * FINE) - told)
                told = int(job.progress * FINE)
    call.show(answer, JobLine, print_job)
    click.get_current_context().exit(0 if no_wait or job.state == "done" else 1)


@train.command()
@click.argument("model")
@click.option("--after", type=click.IntRange(1), help="So many new corrections.")
@click.option("--off", is_flag=True, help="Train only when somebody asks for it.")
@remote
def trigger(call: Call, model: str, after: int | None, *, off: bool) -> None:
    """Freeze and train MODEL by itself after so many new corrections, or never."""
    if (after is None) != off:
        raise click.UsageError("Say either --after N or --off.")
    path = f"/api/v1/models/{model}/training/trigger"
    body = {"after_corrections": after}
    answer = call.server.delete(path) if off else call.server.send("PUT", path, body=body)
    call.show(answer, TrainingLine, print_training)
