"""`lockgate models`: inspect and check a file offline, add it, and see what serves."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import click
import msgspec

from lockgate.commands.remote import Call, remote
from lockgate.output import note, print_json, say
from lockgate.progress import Advance, progress

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


class ModelLine(msgspec.Struct, frozen=True, kw_only=True):
    """A model as a line of the list."""

    name: str
    champion: str | None = None
    candidate: str | None = None
    halted: str | None = None
    automated: str | None = None


class AddedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What adding a file made."""

    model: str
    version: int
    release: str
    founding: bool
    warnings: tuple[str, ...] = ()


class Counted:
    """A file that says how much of it was read."""

    def __init__(self, file: IO[bytes], advance: Advance) -> None:
        self._file = file
        self._advance = advance
        self.seek: Callable[..., int] = file.seek
        self.tell = file.tell
        self.fileno = file.fileno

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        chunk = self._file.read(size)
        self._advance(len(chunk))
        return chunk


@click.group()
def models() -> None:
    """Inspect, check, add and list models."""


@models.command()
@click.argument("file", type=FILE)
def inspect(file: Path) -> None:
    """Print a draft of the card of an ONNX FILE, with guesses marked to confirm; needs no server."""
    from gateway.inference.admission import admit
    from gateway.inference.guess import guess
    from lockgate.drafting import CONFIRM, draft_card

    report = asyncio.run(admit(file))
    draft = draft_card(report, guess(report))
    say(draft)
    note(
        f"Settle the {draft.count(CONFIRM)} lines marked {CONFIRM[2:]} then type: lockgate models check {file} --card …"
    )


@models.command()
@click.argument("file", type=FILE)
@click.option("--card", type=FILE, required=True, help="The card, such as model.toml.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def check(*, file: Path, card: Path, as_json: bool) -> None:
    """Say whether FILE and its card may be served, as 'add' would; needs no server."""
    from gateway.inference.admission import admit
    from gateway.registry.card import parse_card
    from gateway.registry.fitting import require_fit

    declared = parse_card(card.read_text(encoding="utf-8"))
    report = asyncio.run(admit(file))
    require_fit(declared, report)
    if as_json:
        print_json(report)
        return
    for warning in report.warnings:
        say(f"Note: {warning}")
    say(f"{file.name} and {card.name} fit; type: lockgate models add NAME {file} --card {card}")


@models.command()
@click.argument("name")
@click.argument("file", type=FILE)
@click.option("--card", type=FILE, required=True, help="The card, such as model.toml.")
@remote
def add(call: Call, name: str, file: Path, card: Path) -> None:
    """Add an ONNX FILE as the next version of model NAME; the first one founds the model."""
    size = os.stat(file).st_size  # noqa: PTH116 - one call for a number
    with file.open("rb") as content, progress(f"Sending {file.name}", size) as advance:
        answer = call.server.send(
            "POST",
            "/api/v1/models",
            data={"name": name, "card": card.read_text(encoding="utf-8")},
            files={"file": (file.name, Counted(content, advance), "application/octet-stream")},
        )
    call.show(answer, AddedLine, _print_added)


@models.command("list")
@remote
def list_(call: Call) -> None:
    """Every model and what serves it."""
    call.rows(
        call.server.get("/api/v1/models"),
        ModelLine,
        ("model", "champion", "candidate", "automated", "halted"),
        lambda one: (one.name, one.champion, one.candidate, one.automated, one.halted),
    )


@models.command()
@click.argument("name")
@remote
def show(call: Call, name: str) -> None:
    """What serves a model, its releases and its card."""
    answer = call.server.get(f"/api/v1/models/{name}")
    say(msgspec.json.format(answer.body).decode())


def _print_added(added: AddedLine) -> None:
    for warning in added.warnings:
        say(f"Note: {warning}")
    say(f"{added.release} is here: version {added.version} of {added.model}.")
    if not added.founding:
        say("It serves nobody yet: another release is the champion.")
        return
    say("It is the founding release, and all its flags are off: every request waits for a person.")
    say("What to type next:")
    say(f"  lockgate keys add my-service --scope predict:{added.model}")
    say(f"  lockgate flags on {added.model}.automated --why 'reviewed the first answers'")
