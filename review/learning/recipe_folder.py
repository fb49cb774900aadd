"""Reads recipes from a folder of this machine, and copies the files of one to where it runs; blocking, for threads.

A recipe runs code, so nobody sends one over the network: whoever may write the folder writes recipes, and operators
choose among them by name.
"""

import hashlib
import shutil
from pathlib import Path

import msgspec

from gateway.registry.reading import faults_in
from review.learning.errors import RecipeChanged, RecipeRefused, RecipesOff, UnknownRecipe
from review.learning.recipe import CODE_MAX_BYTES, TEMPORARY, Recipe, RecipeFile, WrittenRecipe, recipe_fault, recipe_of

RECIPE_FILE = "recipe.toml"
RECIPE_MAX_BYTES = 64 * 1024


def read_named(folder: Path | None, name: str) -> Recipe:
    """The recipe with this name, with the digests of its files as they are now.

    Raises: RecipesOff, UnknownRecipe, RecipeRefused.
    """
    return read_recipe(_place(folder, name), name)


def recipe_names(folder: Path | None) -> tuple[str, ...]:
    """The names of the recipes that are there to be chosen."""
    if folder is None or not folder.is_dir():
        return ()
    return tuple(sorted(path.parent.name for path in folder.glob(f"*/{RECIPE_FILE}")))


def read_recipe(file: Path, name: str) -> Recipe:
    """The recipe in a file, with the digests of what it names. Raises: RecipeRefused."""
    written = read_written(file)
    root = root_of(file, written)
    paths = (*written.files, *written.data, *([written.lock] if written.lock else []))
    found = {path: _digested(root, path) for path in paths}
    if large := next((path for path in written.files if found[path].bytes > CODE_MAX_BYTES), None):
        raise RecipeRefused(fault=f"'{large}' is larger than {CODE_MAX_BYTES >> 20} MiB: name it under data.")
    return recipe_of(name, written, found)


def read_written(file: Path) -> WrittenRecipe:
    """What stands in a recipe's file. Raises: RecipeRefused."""
    try:
        if file.stat().st_size > RECIPE_MAX_BYTES:
            raise RecipeRefused(fault=f"it is larger than {RECIPE_MAX_BYTES // 1024} KiB.")
        document = msgspec.toml.decode(file.read_bytes())
        if faults := [f"{fault}." for fault in faults_in(document, WrittenRecipe)]:
            raise RecipeRefused(fault=" ".join(faults))
        written = msgspec.convert(document, WrittenRecipe)
    except OSError as error:
        raise RecipeRefused(fault=f"it cannot be read: {error.strerror}.") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise RecipeRefused(fault=f"{error}.") from error
    if fault := recipe_fault(written):
        raise RecipeRefused(fault=fault)
    return written


def root_of(file: Path, written: WrittenRecipe) -> Path:
    """The folder that a recipe's files are named in."""
    return (file.parent / written.root).resolve()


def copy_files(folder: Path | None, recipe: Recipe, target: Path) -> tuple[str, ...]:
    """Copy code and data of a recipe to a new folder, where it will run; the command with its program found.

    What is copied is what was declared, byte for byte. Raises: RecipesOff, UnknownRecipe, RecipeRefused, RecipeChanged.
    """
    file = _place(folder, recipe.name)
    root = root_of(file, read_written(file))
    (target / TEMPORARY).mkdir(parents=True)
    for named in (*recipe.files, *recipe.data):
        copy = target / named.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(root / named.path, copy)
        except OSError as error:
            raise RecipeChanged(name=recipe.name, path=named.path) from error
        if _digested(target, named.path) != named:
            raise RecipeChanged(name=recipe.name, path=named.path)
    if recipe.lock is not None and _digested(root, recipe.lock.path) != recipe.lock:
        raise RecipeChanged(name=recipe.name, path=recipe.lock.path)
    return (_program(file.parent, recipe.command[0]), *recipe.command[1:])


def _place(folder: Path | None, name: str) -> Path:
    if folder is None:
        raise RecipesOff
    file = folder / name / RECIPE_FILE
    if name not in recipe_names(folder):
        raise UnknownRecipe(name=name[:80], names=", ".join(recipe_names(folder)) or "none")
    return file


def _program(beside: Path, program: str) -> str:
    """A program with a slash in its name lies beside the recipe; another one is looked for by the system."""
    # A link is not followed: the interpreter of an environment is one, and knows its environment by the link's place.
    return str(beside.absolute() / program) if "/" in program else program


def _digested(root: Path, path: str) -> RecipeFile:
    try:
        with (root / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return RecipeFile(path=path, sha256=digest, bytes=file.tell())
    except OSError as error:
        raise RecipeRefused(fault=f"'{path}' cannot be read: {error.strerror}.") from error
