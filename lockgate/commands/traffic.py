"""`lockgate traffic`: what was answered on which path, by which rule and release."""

import re
from datetime import UTC, datetime

import click
import msgspec

from gateway.times import after_us, iso, now_us
from lockgate.commands.remote import Call, remote
from lockgate.output import note, print_table, say

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
CONTEXT = "context."
DIMENSIONS = ("model", "release", "path", "rule", "decided_path", "decided_rule", "public_rule")


class Moment(click.ParamType[int]):
    """A moment: so long ago (30m, 24h, 7d) or an RFC 3339 time. Its value is in microseconds UTC."""

    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The moment in microseconds UTC."""
        text = str(value)
        if ago := re.fullmatch(r"(\d+)([smhd])", text):
            return after_us(now_us(), -float(ago[1]) * UNITS[ago[2]])
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"'{text}' is no moment: write 30m, 24h, 7d or 2026-11-22T14:03:00Z.", param, ctx)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1e6)


class CountLine(msgspec.Struct, frozen=True, kw_only=True):
    """How many predictions share these values."""

    predictions: int
    items: int
    held: int
    audited: int
    model: str | None = None
    release: str | None = None
    path: str | None = None
    rule: str | None = None
    decided_path: str | None = None
    decided_rule: str | None = None
    public_rule: str | None = None
    context: dict[str, str | None] = {}


class TrafficLines(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of a window."""

    since_us: int
    until_us: int
    counts: tuple[CountLine, ...]


class Dimensions(click.ParamType[tuple[str, ...]]):
    """Names separated by commas."""

    name = "names"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The names, each once."""
        names = tuple(dict.fromkeys(each.strip() for each in str(value).split(",") if each.strip()))
        for name in names:
            if name not in DIMENSIONS and not name.startswith(CONTEXT):
                self.fail(
                    f"'{name}' is none of {', '.join(DIMENSIONS)}, and no field such as context.plan.", param, ctx
                )
        return names


@click.command()
@click.option("--model", help="Only this model.")
@click.option("--since", type=Moment(), default="1h", show_default=True, help="From when: 30m, 24h, 7d or a time.")
@click.option("--until", type=Moment(), help="Until when; now unless given.")
@click.option(
    "--by",
    type=Dimensions(),
    default="model,release,path,rule",
    show_default=True,
    help=f"What to group by, separated by commas: {', '.join(DIMENSIONS)}, or a context field such as context.plan.",
)
@remote
def traffic(call: Call, model: str | None, since: int, until: int | None, by: tuple[str, ...]) -> None:
    """Count predictions by path, rule and release."""
    params = {"model": model, "since_us": since, "until_us": until, "by": ",".join(by)}
    call.show(call.server.get("/api/v1/traffic", **params), TrafficLines, lambda found: _print(found, by))


def _print(found: TrafficLines, by: tuple[str, ...]) -> None:
    note(f"From {iso(found.since_us)} to {iso(found.until_us)}:")
    if not found.counts:
        say("No predictions.")
        return
    print_table(
        (*by, "predictions", "items", "held", "audited"),
        (
            (*(_value(one, name) for name in by), one.predictions, one.items, one.held, one.audited)
            for one in found.counts
        ),
    )


def _value(one: CountLine, name: str) -> str | None:
    """What a line shares by this name; a context field that was not told, or not kept, has none."""
    if name.startswith(CONTEXT):
        return one.context.get(name.removeprefix(CONTEXT))
    value: str | None = getattr(one, name)
    return value
