"""Recipes: what is refused in one, what its digest stands for, and what a command's line says of its progress."""

import sys
from pathlib import Path

import msgspec
import pytest

from review.learning.commanding import environment_of, progress_in
from review.learning.errors import RecipeChanged, RecipeRefused, RecipesOff, UnknownRecipe
from review.learning.recipe import Elsewhere, declared_elsewhere, recipe_digest
from review.learning.recipe_folder import copy_files, read_named, read_recipe, recipe_names
from tests.integration.learning.recipes import LEARN, write_recipe

GOOD = 'command = ["python", "train.py"]\nfiles = ["train.py"]\n'


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("command = [", "Invalid"),
        ('files = ["train.py"]', "command: it is missing"),
        ('command = "python train.py"\nfiles = ["train.py"]', "command: Expected `array`"),
        (GOOD + "shell = true", "shell: there is no such field"),
        (GOOD + 'data = ["train.py"]', "name a path twice"),
        (GOOD + 'data = ["../secret"]', "'../secret' leads out of the folder"),
        (GOOD + 'data = ["a/../../secret"]', "leads out of the folder"),
        (GOOD + 'data = ["/etc/passwd"]', "data"),
        (GOOD + 'data = ["model.onnx"]', "has a name that a training's own files have"),
        (GOOD + 'data = ["missing"]', "'missing' cannot be read"),
        (GOOD + 'variables = ["LOCKGATE_INTERNAL_KEY"]', "LOCKGATE_INTERNAL_KEY is ours"),
        (GOOD + 'variables = ["lockgate_token"]', "lockgate_token is ours"),
        (GOOD + "seed = -1", "seed"),
        (GOOD + "[limits]\nwall_s = 0", "limits.wall_s"),
        (GOOD + "[parameters]\nlayers = [1, 2]", "parameters"),
    ],
)
def test_a_recipe_that_is_not_right_is_refused(written: str, says: str, tmp_path: Path) -> None:
    """Each fault has its sentence; no path leads out of the recipe's folder, and no variable of ours into a command."""
    (tmp_path / "train.py").write_text("pass")
    (tmp_path / "recipe.toml").write_text(written)
    with pytest.raises(RecipeRefused) as caught:
        read_recipe(tmp_path / "recipe.toml", "bad")
    assert says in str(caught.value)


def test_only_the_servers_own_recipes_can_be_named(tmp_path: Path) -> None:
    """Without a folder there is none; a name is never a path."""
    with pytest.raises(RecipesOff):
        read_named(None, "learn")
    write_recipe(tmp_path / "recipes", "learn", LEARN)
    write_recipe(tmp_path, "outside", LEARN)
    assert recipe_names(tmp_path / "recipes") == ("learn",)
    for name in ("../outside", "learn/../../outside", "", "."):
        with pytest.raises(UnknownRecipe, match="there are: learn"):
            read_named(tmp_path / "recipes", name)


@pytest.mark.parametrize("changed", ["train.py", "contrary.onnx", "lock.txt"])
def test_what_is_copied_is_what_was_declared(changed: str, tmp_path: Path) -> None:
    """The program is found beside the recipe; a file that was changed since is named."""
    write_recipe(tmp_path, "learn", LEARN)
    recipe = read_named(tmp_path, "learn")
    assert copy_files(tmp_path, recipe, tmp_path / "one")[0] == sys.executable
    assert (tmp_path / "one" / "train.py").read_text() == LEARN
    relative = msgspec.structs.replace(recipe, command=("env/bin/python", "train.py"))
    assert copy_files(tmp_path, relative, tmp_path / "two")[0] == str(tmp_path / "learn" / "env/bin/python")
    (tmp_path / "learn" / changed).write_bytes(b"else")
    with pytest.raises(RecipeChanged, match=changed):
        copy_files(tmp_path, recipe, tmp_path / "three")


def test_a_recipe_is_named_by_everything_in_it(tmp_path: Path) -> None:
    """Reading it again gives the same digest; another seed, file or lock file gives another one."""
    write_recipe(tmp_path, "learn", LEARN)
    digests = {recipe_digest(read_named(tmp_path, "learn")) for _ in range(2)}
    for file, content in (("train.py", LEARN + "\n"), ("lock.txt", "nothing==2\n")):
        (tmp_path / "learn" / file).write_text(content)
        digests.add(recipe_digest(read_named(tmp_path, "learn")))
    digests.add(recipe_digest(msgspec.structs.replace(read_named(tmp_path, "learn"), seed=8)))
    assert len(digests) == 4


def test_what_is_declared_of_a_training_elsewhere_is_recorded_as_that(tmp_path: Path) -> None:
    """The record says that its owner says so, with recipe, seed, parameters and dataset, and no run."""
    recipe = read_recipe(write_recipe(tmp_path, "learn", LEARN), "sentiment")
    sent = msgspec.json.encode(Elsewhere(recipe=recipe, dataset="d" * 64))
    record = declared_elsewhere(msgspec.json.decode(sent, type=Elsewhere))
    assert (record.trained, record.run, record.dataset) == ("elsewhere", None, "d" * 64)
    assert (record.seed, record.parameters, record.recipe.commit) == (7, {"weight": 2}, "abc123")
    assert record.recipe_sha256 == recipe_digest(recipe)


def test_a_command_is_told_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment has the variables that its recipe names, and none else of the worker's."""
    monkeypatch.setenv("LOCKGATE_DATABASE_URL", "postgresql://ada:hunter2@db/lockgate")
    monkeypatch.setenv("DEVICES", "0,1")
    write_recipe(tmp_path, "learn", LEARN)
    recipe = msgspec.structs.replace(read_named(tmp_path, "learn"), variables=("DEVICES", "ABSENT"))
    told = environment_of(recipe, tmp_path)
    assert told["DEVICES"] == "0,1"
    assert set(told) == {
        "DEVICES", "HOME", "LC_ALL", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PATH",
        "PYTHONHASHSEED", "PYTHONUNBUFFERED", "TMPDIR",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "progress"),
    [
        (b"progress 0.42\n", 0.42),
        (b"progress .5\r\n", 0.5),
        (b"progress 1\n", 1.0),
        (b"progress 1.7\n", 1.0),
        (b"progress 0\n", 0.0),
        (b"progress 42\n", None),
        (b"progress nan\n", None),
        (b"progress -0.1\n", None),
        (b"made progress 0.5\n", None),
        (b"\xff\xfe\n", None),
    ],
)
def test_a_line_says_how_far_a_command_is(line: bytes, progress: float | None) -> None:
    """Numbers from 0 to 1 behind the word, and nothing else."""
    assert progress_in(line) == progress
