"""`lockgate datasets`: freeze what people said, and say what is in it and what has changed."""

import click
import msgspec

from gateway.times import iso
from lockgate.commands.remote import Call, remote
from lockgate.commands.traffic import Moment
from lockgate.output import note, print_table, say
from lockgate.progress import waiting

KINDS = ("hold", "audit", "disagreement", "report", "drift")


class Kinds(click.ParamType[tuple[str, ...]]):
    """Kinds of cases, separated by commas."""

    name = "kinds"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The kinds, each once."""
        kinds = tuple(dict.fromkeys(each.strip() for each in str(value).split(",") if each.strip()))
        for kind in kinds:
            if kind not in KINDS:
                self.fail(f"'{kind}' is none of {', '.join(KINDS)}.", param, ctx)
        return kinds


class WarningLine(msgspec.Struct, frozen=True, kw_only=True):
    """Something to know about a dataset."""

    name: str
    count: int
    says: str


class FileLine(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a dataset."""

    sha256: str
    bytes: int
    rows: int


class ManifestLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a dataset holds."""

    model: str
    items: FileLine
    annotations: FileLine
    splits: dict[str, int]
    kinds: dict[str, int]
    sources: dict[str, int]
    classes: dict[str, int]
    left_out: dict[str, int]
    warnings: tuple[WarningLine, ...]


class FrozenLine(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset that is there now."""

    dataset: str
    new: bool
    manifest: ManifestLine


class DatasetLine(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset in a list."""

    dataset: str
    items: int
    splits: dict[str, int]
    warnings: tuple[str, ...]
    by: str
    created_us: int


class ShownLine(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset with its manifest."""

    dataset: str
    by: str
    created_us: int
    manifest: ManifestLine


class ItemLine(msgspec.Struct, frozen=True, kw_only=True):
    """An item of which two datasets say something different."""

    prediction: str
    item: int
    before: str | float | None
    after: str | float | None


class DifferenceLine(msgspec.Struct, frozen=True, kw_only=True):
    """What came, went and changed its answer."""

    came: int
    went: int
    changed: int
    items: tuple[ItemLine, ...]


@click.group()
def datasets() -> None:
    """Frozen sets of outcomes."""


@datasets.command()
@click.argument("model")
@click.option("--since", type=Moment(), help="Only what was settled since then: 24h, 7d or a time.")
@click.option("--kinds", type=Kinds(), default="", help=f"Only cases of these kinds, with commas: {', '.join(KINDS)}.")
@remote
def freeze(call: Call, model: str, since: int | None, kinds: tuple[str, ...]) -> None:
    """Freeze a model's outcomes under their SHA-256; the same outcomes give the same dataset."""
    with waiting(f"Freezing the outcomes of {model}"):
        answer = call.server.post(f"/api/v1/models/{model}/datasets", {"since_us": since or 0, "kinds": kinds})
    call.show(answer, FrozenLine, _print_frozen)


@datasets.command(name="list")
@click.argument("model")
@remote
def list_(call: Call, model: str) -> None:
    """List a model's datasets, the newest first."""
    call.rows(
        call.server.get(f"/api/v1/models/{model}/datasets"),
        DatasetLine,
        ("dataset", "items", "held out", "warnings", "by", "frozen"),
        lambda one: (
            one.dataset[:12], one.items, one.splits.get("held_out", 0), ", ".join(one.warnings) or "none", one.by,
            iso(one.created_us),
        ),
    )  # fmt: skip


@datasets.command()
@click.argument("dataset")
@remote
def show(call: Call, dataset: str) -> None:
    """Show a dataset, by the first characters of its SHA-256."""
    call.show(call.server.get(f"/api/v1/datasets/{dataset}"), ShownLine, _print_shown)


@datasets.command()
@click.argument("before")
@click.argument("after")
@remote
def diff(call: Call, before: str, after: str) -> None:
    """Say what came, what went and what changed its answer between two datasets."""
    call.show(call.server.get(f"/api/v1/datasets/{before}/diff/{after}"), DifferenceLine, _print_difference)


def _print_frozen(done: FrozenLine) -> None:
    say(f"{done.dataset}")
    note("Frozen." if done.new else "These outcomes had been frozen before; this is that dataset.")
    _print_manifest(done.manifest)


def _print_shown(shown: ShownLine) -> None:
    say(f"{shown.dataset}, frozen {iso(shown.created_us)} by {shown.by}")
    _print_manifest(shown.manifest)


def _print_manifest(manifest: ManifestLine) -> None:
    say(f"{manifest.items.rows} items of {manifest.model}, {manifest.annotations.rows} verdicts")
    for title in ("splits", "kinds", "sources", "classes", "left_out"):
        counts: dict[str, int] = getattr(manifest, title)
        if counts:
            say(f"{title.replace('_', ' ')}: {', '.join(f'{name} {count}' for name, count in counts.items())}")
    for warned in manifest.warnings:
        say(f"warning {warned.name} ({warned.count}): {warned.says}")


def _print_difference(found: DifferenceLine) -> None:
    say(f"{found.came} came, {found.went} went, {found.changed} changed their answer.")
    if found.items:
        lines = ((one.prediction, one.item, one.before, one.after) for one in found.items)
        print_table(("prediction", "item", "before", "after"), lines)
