"""How a model is trained: what an owner writes, what is kept of it under its digest, and what a training was. Pure.

A recipe names a command and the files that it runs with, each with its SHA-256, so that what ran can be told later from
what lies in the same place by then. The same files and numbers make the same bytes, and so the same recipe.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

FORMAT: Literal["lockgate.recipe/1"] = "lockgate.recipe/1"
OURS = "LOCKGATE_"
"""Variables that begin so may hold our own secrets, and no command is given them."""
Parameter = bool | int | float | str
Seed = Annotated[int, Meta(ge=0, lt=1 << 32)]
ShortText = Annotated[str, Meta(max_length=400)]
RelativePath = Annotated[str, Meta(min_length=1, max_length=400, pattern=r"^[^/\\\x00]([^\\\x00]*)$")]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Variable = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
DATASET, MODEL_FILE, PARAMETERS_FILE, TEMPORARY = "dataset", "model.onnx", "parameters.json", "tmp"
TAKEN = frozenset({DATASET, MODEL_FILE, PARAMETERS_FILE, TEMPORARY})
"""What stands in a training's folder beside the files of its recipe."""
DAY_S = 86_400
CODE_MAX_BYTES = 1 << 20
"""The size of a file of code; it is kept as an artifact, so that it can be read again."""


class RunLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a command may take."""

    wall_s: Annotated[float, Meta(gt=0, le=7 * DAY_S)] = 3600.0
    cpu_s: Annotated[int, Meta(ge=1, le=70 * DAY_S)] = 7200
    """Seconds of all its threads together, in one process."""
    memory_mib: Annotated[int, Meta(ge=64, le=1 << 24)] = 4096
    """The addresses of one process."""
    file_mib: Annotated[int, Meta(ge=1, le=1 << 22)] = 2048
    """Each file that it writes."""
    threads: Annotated[int, Meta(ge=1, le=1024)] = 1
    """What libraries for numbers are told; several make results depend on the machine."""


class WrittenRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recipe as its owner writes it, in TOML."""

    command: Annotated[tuple[Annotated[str, Meta(max_length=2000)], ...], Meta(min_length=1, max_length=50)]
    """The program and its arguments; no shell reads them."""
    root: ShortText = ""
    """The folder that `files`, `data` and `lock` are named in, beside this file unless said otherwise."""
    files: Annotated[tuple[RelativePath, ...], Meta(min_length=1, max_length=100)]
    """The code that it runs."""
    data: Annotated[tuple[RelativePath, ...], Meta(max_length=100)] = ()
    """What else it reads, such as what the model first learned from."""
    lock: ShortText = ""
    """The lock file of its environment."""
    commit: ShortText = ""
    variables: Annotated[tuple[Variable, ...], Meta(max_length=50)] = ()
    """The variables of the worker's environment that the command is given, by name."""
    seed: Seed = 0
    parameters: Mapping[str, Parameter] = {}
    limits: RunLimits = RunLimits()
    dataset: Digest | None = None
    """Of a version that was trained elsewhere: the SHA-256 of what it learned from."""


class RecipeFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a recipe names, as it was when the recipe was declared."""

    path: RelativePath
    sha256: Digest
    bytes: Annotated[int, Meta(ge=0)]


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe with the digests of its files."""

    format: Literal["lockgate.recipe/1"]
    name: Name
    command: Annotated[tuple[Annotated[str, Meta(max_length=2000)], ...], Meta(min_length=1, max_length=50)]
    files: Annotated[tuple[RecipeFile, ...], Meta(min_length=1, max_length=100)]
    data: Annotated[tuple[RecipeFile, ...], Meta(max_length=100)]
    lock: RecipeFile | None
    commit: ShortText
    variables: Annotated[tuple[Variable, ...], Meta(max_length=50)]
    seed: Seed
    parameters: Mapping[str, Parameter]
    limits: RunLimits


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """What is declared of a version that was trained somewhere else."""

    recipe: Recipe
    dataset: Digest | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A training that ran here."""

    job: UUID
    by: str
    started_us: int
    seconds: float
    """How long the command took."""
    exit_status: int
    log: str
    """The SHA-256 of what it printed."""
    python: str
    """What the command's interpreter calls itself; empty where the command is no Python."""
    platform: str


class TrainingRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How a version was trained; kept with it and never changed."""

    trained: Literal["here", "elsewhere"]
    """`here`: everything was seen and measured. `elsewhere`: it is what the version's owner says."""
    recipe_sha256: str
    recipe: Recipe
    seed: int
    parameters: Mapping[str, Parameter]
    """As they were for this training: the recipe's, and what was asked for on top."""
    dataset: str | None
    """The SHA-256 of the dataset whose training split it learned from."""
    run: Run | None = None
    """None for a version that was trained elsewhere."""


def recipe_bytes(recipe: Recipe) -> bytes:
    """The canonical bytes."""
    return msgspec.json.encode(recipe, order="deterministic")


def recipe_digest(recipe: Recipe) -> str:
    """The SHA-256 that is the recipe's name."""
    return sha256(recipe_bytes(recipe)).hexdigest()


def recipe_of(name: str, written: WrittenRecipe, files: Mapping[str, RecipeFile]) -> Recipe:
    """The recipe, with the files that were found under the paths that it names."""
    return Recipe(
        format=FORMAT,
        name=name,
        command=written.command,
        files=tuple(files[path] for path in written.files),
        data=tuple(files[path] for path in written.data),
        lock=files[written.lock] if written.lock else None,
        commit=written.commit,
        variables=written.variables,
        seed=written.seed,
        parameters=dict(written.parameters),
        limits=written.limits,
    )


def declared_elsewhere(declared: Elsewhere) -> TrainingRecord:
    """The record of a version that was trained somewhere else."""
    recipe = declared.recipe
    return TrainingRecord(
        trained="elsewhere",
        recipe_sha256=recipe_digest(recipe),
        recipe=recipe,
        seed=recipe.seed,
        parameters=recipe.parameters,
        dataset=declared.dataset,
    )


def recipe_fault(written: WrittenRecipe) -> str | None:
    """What contradicts itself in a recipe, as a sentence; None when nothing does."""
    paths = (*written.files, *written.data)
    if len(set(paths)) != len(paths):
        return "files and data name a path twice."
    if outside := next((path for path in paths if ".." in path.split("/")), None):
        return f"'{outside}' leads out of the folder: set root to a folder above it."
    if taken := next((path for path in paths if path.split("/")[0] in TAKEN), None):
        return f"'{taken}' has a name that a training's own files have."
    if ours := next((name for name in written.variables if name.upper().startswith(OURS)), None):
        return f"the variable {ours} is ours, and no command is given it."
    return None
