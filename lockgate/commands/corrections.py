"""`lockgate corrections`: what people and sources said, searched and exported."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from gateway.times import iso
from lockgate.commands.remote import Call, remote
from lockgate.commands.traffic import Moment
from lockgate.output import note, print_table

Command = TypeVar("Command", bound=Callable[..., Any])
HEADING = ("settled", "release", "model said", "answer", "source", "by", "reason", "shown", "prediction")
SHOWN_CHARACTERS = 40


class SaidLine(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said who judged."""

    person: str | None
    reason_code: str


class ShownLine(msgspec.Struct, frozen=True, kw_only=True):
    """An input as people saw it."""

    kind: str
    text: str
    rows: tuple[tuple[str, ...], ...]

    @property
    def words(self) -> str:
        """It on one line."""
        return " ".join(self.text.split()) or " ".join(cell for row in self.rows for cell in row)


class CorrectionLine(msgspec.Struct, frozen=True, kw_only=True):
    """A settled outcome as a line of the list."""

    prediction_id: str
    release: str
    model_answer: str | float | None
    answer: str | float | None
    status: str
    source: str
    is_truth: bool
    said: tuple[SaidLine, ...]
    shown: tuple[ShownLine, ...]
    created_us: int


class CorrectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the library."""

    corrections: tuple[CorrectionLine, ...]
    next: str | None
    looked_at: int


def filters(command: Command) -> Command:
    """The filters that both commands share."""
    for option in reversed(
        (
            click.option("--search", "q", help="A text in what was shown, in a rationale, or a prediction's id."),
            click.option("--model", help="Only of this model."),
            click.option("--release", help="Only of this release, such as sentiment@7."),
            click.option("--kind", help="Only of this kind of case: hold, audit, disagreement, report or drift."),
            click.option("--source", help="people, adjudication, truth, or truth:NAME."),
            click.option("--differs/--agrees", default=None, help="Only what differs from the model's answer, or not."),
            click.option("--answer", help="Only what was settled as this."),
            click.option("--model-answer", help="Only where the model said this."),
            click.option("--reason", help="Only with this reason code."),
            click.option("--reviewer", help="Only what somebody with this address judged."),
            click.option("--since", type=Moment(), help="From when: 30m, 24h, 7d or a time."),
            click.option("--until", type=Moment(), help="Until when."),
        )
    ):
        command = option(command)
    return command


@click.group()
def corrections() -> None:
    """What people and sources said was right."""


@corrections.command("list")
@filters
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--after", help="Go on behind this place, which the page before told.")
@remote
def list_corrections(call: Call, limit: int, after: str | None, **given: Any) -> None:
    """Settled outcomes, the newest first."""
    answer = call.server.get("/api/v1/corrections", limit=limit, after=after, **_params(given))
    call.show(answer, CorrectionPage, _print)


@corrections.command("export")
@filters
@click.option("--format", "file_format", type=click.Choice(("parquet", "csv", "jsonl")), default="parquet")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file.")
@remote
def export_corrections(call: Call, file_format: str, output: Path, **given: Any) -> None:
    """Write settled outcomes to a file; a file that is there already is replaced once the new one is whole."""
    params = {"format": file_format, **_params(given)}
    size = call.server.download("/api/v1/corrections/export", output, params)
    note(f"Wrote {output} ({size:,} bytes).")


def _params(given: dict[str, Any]) -> dict[str, object]:
    """The filters as the address carries them."""
    moments = {name: iso(given.pop(name)) for name in ("since", "until") if given.get(name) is not None}
    differs = {True: "yes", False: "no", None: None}[given.pop("differs")]
    return given | {"differs": differs} | moments


def _print(page: CorrectionPage) -> None:
    print_table(HEADING, map(_cells, page.corrections))
    if page.next is not None:
        looked = f" {page.looked_at} were looked at." if page.looked_at > len(page.corrections) else ""
        note(f"There may be more:{looked} Go on with --after {page.next}")


def _cells(one: CorrectionLine) -> tuple[object, ...]:
    answer = one.answer if one.status == "answered" else one.status
    source = one.source if one.is_truth else f"{one.source} (outranked)"
    by = ", ".join(dict.fromkeys(said.person for said in one.said if said.person))
    reasons = ", ".join(dict.fromkeys(said.reason_code for said in one.said if said.reason_code))
    shown = " | ".join(each.words for each in one.shown if each.words)
    short = shown if len(shown) <= SHOWN_CHARACTERS else shown[: SHOWN_CHARACTERS - 1] + "…"
    return (
        iso(one.created_us)[:19], one.release, one.model_answer, answer, source, by, reasons, short, one.prediction_id,
    )  # fmt: skip
