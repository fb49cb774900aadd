"""`lockgate bench`: threads, rows of a run and the throughput to expect of a model, measured on this machine."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import msgspec

from gateway.inference.benched import Benched, sentences
from gateway.inference.measuring import Bounds
from gateway.inference.measuring import bench as run_bench
from gateway.inference.pace import Pace
from gateway.registry.card import Card, read_card
from lockgate.client import Server, talking_to
from lockgate.commands.models import FILE, ModelShown, card_text
from lockgate.contexts import choose
from lockgate.environment import read_client_environment
from lockgate.errors import CardFaulty, NothingToMeasure, UnreadableFile, UnwritableFile
from lockgate.output import note, print_json, print_table, say
from lockgate.progress import waiting

DEFAULT_RUN_MAX_MS = 50.0
DEFAULT_SECONDS = 20.0
PLOTS = (".svg", ".html")
MODEL = "model.onnx"
"""The model file in a bundle."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured."""

    name: str
    file: Path
    card: Card | None


def plot_file(_context: click.Context, _option: click.Parameter, file: Path | None) -> Path | None:
    """The file for the plot, if it is one that can be written."""
    if file is not None and file.suffix not in PLOTS:
        raise click.BadParameter(f"{file} must end in .svg or .html.")
    return file


@click.command()
@click.argument("model")
@click.option("--card", type=FILE, help="The card of a file, such as model.toml.")
@click.option(
    "--seconds", type=click.FloatRange(1, 3600), default=DEFAULT_SECONDS, show_default=True, help="How long to measure."
)
@click.option(
    "--run-max-ms",
    type=click.FloatRange(0.01),
    default=DEFAULT_RUN_MAX_MS,
    show_default=True,
    help="What a run may take at most.",
)
@click.option(
    "--rows-max",
    type=click.IntRange(1, 4096),
    default=256,
    show_default=True,
    help="How many rows are run together at most.",
)
@click.option("--free-size", type=click.IntRange(1), help="The size of free axes, such as the length of a text.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=plot_file,
    help="Draw a plot: FILE.svg, or FILE.html with the table.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was measured as JSON.")
@click.option("--context", metavar="NAME", help="The context of the server that has the model.")
@click.option("--url", metavar="URL", help="The server that has the model.")
def bench(
    *,
    model: str,
    card: Path | None,
    seconds: float,
    run_max_ms: float,
    rows_max: int,
    free_size: int | None,
    out: Path | None,
    as_json: bool,
    context: str | None,
    url: str | None,
) -> None:
    """Measure how fast MODEL runs here, and say what to write into its card.

    MODEL is an ONNX file, or the name of a model of a server, whose champion is then measured. Measure on the machine
    that serves, while it is quiet. The file runs in a child process, as it does when it is added.
    """
    bounds = Bounds(seconds=seconds, run_max_ms=run_max_ms, rows_max=rows_max, free_size=free_size)
    with _subject(model, card, context, url) as subject, waiting(f"Measuring {subject.name}"):
        benched = asyncio.run(run_bench(subject.file, subject.name, subject.card, bounds))
    if out is not None:
        _draw(benched, out)
    if as_json:
        print_json({"benched": benched, "card": benched.card_lines})
    else:
        _print(benched)
    if out is not None:
        note(f"The plot is in {out}.")


@contextmanager
def _subject(model: str, card: Path | None, context: str | None, url: str | None) -> Iterator[Subject]:
    """The file of this name, or a copy of the champion's that is gone afterwards. Raises: CommandError."""
    file = Path(model)
    if file.is_file():
        yield Subject(name=file.name, file=file, card=None if card is None else _declared(file, card))
        return
    if file.suffix or len(file.parts) > 1:
        raise UnreadableFile(path=file, why="there is no such file")
    if card is not None:
        raise click.UsageError("--card goes with a file; the model of a server has its own.")
    with talking_to(choose(read_client_environment(), url, context)) as server, TemporaryDirectory() as folder:
        yield _champion(server, model, Path(folder))


def _declared(file: Path, card: Path) -> Card:
    """What the card says. Raises: UnreadableFile, CardFaulty."""
    found, faults = read_card(card_text(card))
    if found is None or faults:
        listed = "".join(f"\n  {fault}" for fault in faults)
        raise CardFaulty(file=file.name, card=card.name, count=len(faults), faults=listed)
    return found


def _champion(server: Server, model: str, folder: Path) -> Subject:
    """What serves a model, out of its bundle. Raises: CommandError."""
    from review.bundle.unpacking import unpack

    served = server.get(f"/api/v1/models/{model}").read(ModelShown).served
    if served.upstream:
        raise NothingToMeasure(release=served.release, upstream=served.upstream)
    number = served.release.rpartition("@")[2]
    archive = folder / "bundle.zip"
    server.download(f"/api/v1/models/{model}/releases/{number}/bundle", archive, {})
    unpacked = unpack(archive, folder)
    return Subject(name=served.release, file=folder / unpacked.entry(MODEL).sha256, card=unpacked.card)


def _draw(benched: Benched, out: Path) -> None:
    from review.console.bench import bench_html, bench_svg

    text = bench_html(benched) if out.suffix == ".html" else bench_svg(benched)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UnwritableFile(path=out, why=error.strerror or "it cannot be written") from error


def _print(benched: Benched) -> None:
    measured = benched.measured
    print_table(
        ("threads", "rows", "rows/s", "from", "to", "p50 ms", "p99 ms", "runs", ""),
        (_row(pace, chosen=pace == benched.choice.pace) for pace in measured.paces),
    )
    say()
    for sentence in sentences(benched):
        say(sentence)
    say()
    say("For the card:")
    for line in benched.card_lines:
        say(f"  {line}")


def _row(pace: Pace, *, chosen: bool) -> tuple[object, ...]:
    rates = (f"{rate:,.0f}" for rate in (pace.rows_s, pace.rows_s_low, pace.rows_s_high))
    p99 = "–" if pace.p99_ms is None else f"{pace.p99_ms:.3g}"
    return pace.threads, pace.rows, *rates, f"{pace.p50_ms:.3g}", p99, pace.runs, "chosen" if chosen else None
