"""What commands print: results on standard output, complaints and progress on standard error."""

import sys
from collections.abc import Iterable, Sequence

import click
import msgspec


def complain(sentence: str, exit_code: int) -> int:
    """Print one sentence on standard error; returns the exit code."""
    click.echo(f"{click.style('Error:', fg='red')} {sentence}", err=True)
    return exit_code


def say(text: str = "") -> None:
    """Print a line of the result."""
    click.echo(text)


def note(text: str) -> None:
    """Print a line that is no result, such as what to type next."""
    click.echo(text, err=True)


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=str)).decode())


def print_table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns; a cell that is None stays empty."""
    lines = [[str(cell) if cell is not None else "" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heading, *lines, strict=True)]
    for number, line in enumerate([list(heading), *lines]):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.echo(click.style(text, bold=True) if number == 0 and sys.stdout.isatty() else text)
