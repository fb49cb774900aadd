"""How a version was trained, as commands declare and print it."""

from pathlib import Path

import msgspec

from lockgate.output import say


class RecipeFileLine(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a recipe names."""

    path: str
    sha256: str


class RecipeLine(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe."""

    name: str
    command: tuple[str, ...]
    files: tuple[RecipeFileLine, ...]
    data: tuple[RecipeFileLine, ...]
    lock: RecipeFileLine | None
    commit: str
    seed: int
    parameters: dict[str, bool | int | float | str]

    def say(self) -> None:
        """Print it."""
        say(f"Command: {' '.join(self.command)}")
        for kind, files in (("code", self.files), ("data", self.data), ("lock", (self.lock,) if self.lock else ())):
            for file in files:
                say(f"  {kind} {file.sha256[:12]}… {file.path}")
        say(f"Commit: {self.commit or 'not declared'}")


class RunLine(msgspec.Struct, frozen=True, kw_only=True):
    """A training that ran on the server."""

    job: str
    by: str
    seconds: float
    log: str
    python: str
    platform: str


class RecordLine(msgspec.Struct, frozen=True, kw_only=True):
    """How a version was trained."""

    trained: str
    recipe_sha256: str
    recipe: RecipeLine
    seed: int
    parameters: dict[str, bool | int | float | str]
    dataset: str | None
    run: RunLine | None


def say_record(record: RecordLine | None) -> None:
    """Print how a version was trained, or that nobody said."""
    if record is None:
        say("Training: no recipe is recorded.")
        return
    known = "here" if record.run is not None else "elsewhere, as its owner says"
    say(f"Training: {known}, by the recipe {record.recipe.name} ({record.recipe_sha256[:12]}…), seed {record.seed}.")
    say(f"Dataset: {record.dataset or 'not declared'}")
    say(f"Parameters: {parameters_text(record.parameters)}")
    record.recipe.say()
    if (run := record.run) is not None:
        say(f"Run: {run.seconds:.1f} s for {run.by}, {run.python or 'no Python'}, {run.platform}; job {run.job}")


def parameters_text(parameters: dict[str, bool | int | float | str]) -> str:
    """Parameters on one line."""
    return ", ".join(f"{name} = {value}" for name, value in parameters.items()) or "none"


def declared_by(name: str, recipe: Path) -> bytes:
    """What a recipe's file says of a model, with the digests of the files that it names. Raises: RecipeRefused."""
    from review.learning.recipe import Elsewhere
    from review.learning.recipe_folder import read_recipe, read_written

    return msgspec.json.encode(Elsewhere(recipe=read_recipe(recipe, name), dataset=read_written(recipe).dataset))
