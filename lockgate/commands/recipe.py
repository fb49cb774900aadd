"""`lockgate recipe`: by what a model is trained, and whether its releases need to say."""

import click
import msgspec

from lockgate.commands.recorded import RecipeLine, parameters_text
from lockgate.commands.remote import Call, remote
from lockgate.output import note, say


class TrainingLine(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is retrained."""

    model: str
    recipe: RecipeLine | None
    recipe_sha256: str | None
    after_corrections: int | None
    new_corrections: int
    recipe_required: bool
    recipes: tuple[str, ...]


@click.group()
def recipe() -> None:
    """By what a model is trained, and whether its releases need to say."""


@recipe.command("set")
@click.argument("model")
@click.argument("name")
@remote
def set_(call: Call, model: str, name: str) -> None:
    """Train MODEL by the recipe NAME from now on, with its files as they are on the server now."""
    answer = call.server.send("PUT", f"/api/v1/models/{model}/training/recipe", body={"name": name})
    call.show(answer, TrainingLine, print_training)


@recipe.command()
@click.argument("model")
@remote
def show(call: Call, model: str) -> None:
    """Show the recipe of MODEL, and when it is trained by itself."""
    call.show(call.server.get(f"/api/v1/models/{model}/training"), TrainingLine, print_training)


@recipe.command()
@click.argument("model")
@click.option("--off", is_flag=True, help="Let releases without a recipe pass again.")
@remote
def require(call: Call, model: str, *, off: bool) -> None:
    """Let the gate refuse releases of MODEL of which nobody said how they were trained."""
    answer = call.server.send("PUT", f"/api/v1/models/{model}/training/required", body={"required": not off})
    call.show(answer, TrainingLine, print_training)


def print_training(shown: TrainingLine) -> None:
    """Print how a model is retrained."""
    if shown.recipe is None:
        say(f"{shown.model} has no recipe.")
        note(f"The server offers: {', '.join(shown.recipes) or 'none'} (its setting training_recipes).")
    else:
        say(f"{shown.model} is trained by the recipe {shown.recipe.name}, {shown.recipe_sha256}.")
        shown.recipe.say()
        say(f"Seed: {shown.recipe.seed}")
        say(f"Parameters: {parameters_text(shown.recipe.parameters)}")
    after = shown.after_corrections
    trigger = f"by itself after {after} new corrections" if after is not None else "only when somebody asks for it"
    say(f"It is trained {trigger}; {shown.new_corrections} came since its latest dataset.")
    if shown.recipe_required:
        say("The gate refuses releases without a recipe.")
