"""`lockgate terms`: what the gate asks of a model's candidates."""

import click
import msgspec

from gateway.times import iso
from lockgate.commands.guard import WHY
from lockgate.commands.remote import Call, remote
from lockgate.output import print_table, say

COUNT = click.IntRange(1, 100_000)


class ThresholdsLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    margin: float
    min_held_out: int
    min_decided: int


class DeclaredLine(msgspec.Struct, frozen=True, kw_only=True):
    """What was declared."""

    declaration: ThresholdsLine | None
    by: str
    why: str
    declared_us: int

    @property
    def cells(self) -> tuple[object, ...]:
        """Its line in the table."""
        found = self.declaration
        numbers = ("–",) * 3 if found is None else (f"{found.margin:g}", found.min_held_out, found.min_decided)
        return iso(self.declared_us), self.by, *numbers, self.why


class RequestLine(msgspec.Struct, frozen=True, kw_only=True):
    """Lower terms that wait for a second person."""

    asks: str
    why: str
    by: str


class TermsLine(msgspec.Struct, frozen=True, kw_only=True):
    """The terms of a model's gate."""

    model: str
    asks: str
    declared: DeclaredLine | None
    history: tuple[DeclaredLine, ...]
    request: RequestLine | None


@click.group()
def terms() -> None:
    """What the gate asks of a model's candidates: how much worse one may be, and how much must be known of it."""


@terms.command("set")
@click.argument("model")
@click.option(
    "--margin", type=click.FloatRange(0, 1, max_open=True), required=True,
    help="So much worse, as a share of right answers, may a candidate be: 0.02 where nothing is declared.",
)  # fmt: skip
@click.option(
    "--held-out", "min_held_out", type=COUNT, required=True, help="From how many held-out items on; else 100."
)
@click.option(
    "--decided", "min_decided", type=COUNT, required=True, help="From how many decided disagreements; else 20."
)
@WHY
@remote
def set_(call: Call, model: str, why: str, *, margin: float, min_held_out: int, min_decided: int) -> None:
    """Declare what the gate asks of MODEL's candidates from now on, all of it."""
    declaration = {"margin": margin, "min_held_out": min_held_out, "min_decided": min_decided}
    body = {"declaration": declaration, "why": why}
    call.show(call.server.send("PUT", _path(model), body=body), TermsLine, _print)


@terms.command()
@click.argument("model")
@remote
def show(call: Call, model: str) -> None:
    """What the gate asks of MODEL's candidates, who declared that, and what it asked before."""
    call.show(call.server.get(_path(model)), TermsLine, _print)


@terms.command()
@click.argument("model")
@WHY
@remote
def clear(call: Call, model: str, why: str) -> None:
    """Ask of MODEL's candidates what is asked of every model's."""
    call.show(call.server.delete(_path(model), why=why), TermsLine, _print)


@terms.command()
@click.argument("model")
@WHY
@remote
def confirm(call: Call, model: str, why: str) -> None:
    """Confirm, as a second person, the lower terms of MODEL's gate that another one asked for."""
    call.show(call.server.post(f"{_path(model)}/confirmation", {"why": why}), TermsLine, _print)


def _path(model: str) -> str:
    return f"/api/v1/models/{model}/gate"


def _print(line: TermsLine) -> None:
    usual = line.declared is None or line.declared.declaration is None
    say(f"The gate of {line.model} asks for: {line.asks}{', as it does of every model' if usual else ''}.")
    if line.request is not None:
        say(f"{line.request.by} asks for less: {line.request.asks}. “{line.request.why}”")
        say(f"It waits for a second person. What they type:\n  lockgate terms confirm {line.model} --why '…'")
    if line.history:
        head = ("declared", "by", "margin", "held-out", "decided", "why")
        print_table(head, [declared.cells for declared in line.history])
