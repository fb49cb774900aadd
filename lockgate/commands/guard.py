"""`lockgate guard`: what is watched on a model after a promotion, and what happens on a breach."""

from typing import Any

import click
import msgspec

from gateway.times import iso
from lockgate.commands.promote import Length
from lockgate.commands.remote import Call, remote
from lockgate.output import note, print_table, say

WHY = click.option("--why", required=True, help="The reason; it is kept with who and when.")
SHARE = click.FloatRange(0, 1, max_open=True)
SAMPLE = click.IntRange(min=1)


class FigureLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one watch has found."""

    standing: str
    told: str


class WatchLine(msgspec.Struct, frozen=True, kw_only=True):
    """How the watch on a promotion stands."""

    release: str
    state: str
    act: str | None
    figures: tuple[FigureLine, ...]
    told: str | None
    until_us: int


class DeclaredLine(msgspec.Struct, frozen=True, kw_only=True):
    """What was declared."""

    declaration: dict[str, Any] | None
    by: str
    why: str
    declared_us: int


class GuardLine(msgspec.Struct, frozen=True, kw_only=True):
    """A model's guard."""

    model: str
    history: tuple[DeclaredLine, ...]
    watch: WatchLine | None


@click.group()
def guard() -> None:
    """Watch what was promoted for a while, and advise, pause or roll back when it breaks what is declared."""


@guard.command("set")
@click.argument("model")
@click.option("--errors", type=SHARE, help="The share of wrong answers, by audits, that is allowed.")
@click.option("--errors-sample", type=SAMPLE, default=50, show_default=True, help="From how many audits on it counts.")
@click.option("--reversals", type=SHARE, help="The share of what people judged that they may have corrected.")
@click.option("--reversals-sample", type=SAMPLE, default=50, show_default=True, help="From how many judged items on.")
@click.option("--latency-ms", type=click.FloatRange(0, min_open=True), help="Within how long answers must be there.")
@click.option("--latency-quantile", type=float, default=0.99, show_default=True, help="Which share of them.")
@click.option("--latency-sample", type=SAMPLE, default=1000, show_default=True, help="From how many answers on.")
@click.option("--refusals", type=SHARE, help="The share of requests that may be refused or fail.")
@click.option("--refusals-sample", type=SAMPLE, default=50, show_default=True, help="From how many requests on.")
@click.option("--bake", "bake_s", type=Length(), default=86_400.0, help="For how long; 24h unless given.")
@click.option(
    "--on-breach", type=click.Choice(["advise", "pause", "roll_back"]), default="advise", show_default=True,
    help="What happens when a limit is broken.",
)  # fmt: skip
@WHY
@remote
def set_(call: Call, model: str, why: str, *, bake_s: float, on_breach: str, **given: Any) -> None:
    """Declare what is watched on MODEL after each promotion; a release that bakes already is watched by it, too.

    A limit counts as broken when the 95 % interval of the figure lies above it.
    """
    declaration: dict[str, Any] = {"bake_s": bake_s, "on_breach": on_breach}
    for name in ("errors", "reversals", "refusals"):
        if given[name] is not None:
            declaration[name] = {"limit": given[name], "min_sample": given[f"{name}_sample"]}
    if given["latency_ms"] is not None:
        declaration["latency"] = {
            "limit_s": given["latency_ms"] / 1000,
            "quantile": given["latency_quantile"],
            "min_sample": given["latency_sample"],
        }
    body = {"declaration": declaration, "why": why}
    call.show(call.server.send("PUT", _path(model), body=body), GuardLine, _print)


@guard.command()
@click.argument("model")
@remote
def show(call: Call, model: str) -> None:
    """What is watched on MODEL, what was before, and how the latest watch stands."""
    call.show(call.server.get(_path(model)), GuardLine, _print)


@guard.command()
@click.argument("model")
@WHY
@remote
def clear(call: Call, model: str, why: str) -> None:
    """Watch nothing on MODEL any more; a watch that runs ends."""
    call.show(call.server.delete(_path(model), why=why), GuardLine, _print)


def _path(model: str) -> str:
    return f"/api/v1/models/{model}/guard"


def _print(line: GuardLine) -> None:
    now = line.history[0].declaration if line.history else None
    if now is None:
        say(f"Nothing is watched on {line.model} after a promotion.")
    else:
        say(f"Watched on {line.model} after a promotion, for {now['bake_s']:g} s; on a breach: {now['on_breach']}.")
    if line.watch is not None:
        _print_watch(line.watch)
    if line.history:
        print_table(("declared", "by", "what", "why"), map(_cells, line.history))


def _print_watch(watch: WatchLine) -> None:
    end = f" until {iso(watch.until_us)}" if watch.state == "watching" else ""
    act = f", {watch.act.replace('_', ' ')}" if watch.act is not None else ""
    say(f"{watch.release}: {watch.state}{act}{end}.")
    if watch.told is not None:
        say(watch.told)
    for figure in watch.figures:
        note(f"  {figure.standing:8} {figure.told}")


def _cells(declared: DeclaredLine) -> tuple[object, ...]:
    return iso(declared.declared_us), declared.by, _words(declared.declaration), declared.why


def _words(declaration: dict[str, Any] | None) -> str:
    """The limits of a declaration on one line."""
    if declaration is None:
        return "nothing"
    limits = {name: declaration.get(name) for name in ("errors", "reversals", "latency", "refusals")}
    words = [
        f"{name} {limit['limit']:g}" if "limit" in limit else f"{limit['quantile']:g} in {limit['limit_s'] * 1000:g} ms"
        for name, limit in limits.items()
        if limit is not None
    ]
    return f"{', '.join(words)}; {declaration['on_breach']}"
