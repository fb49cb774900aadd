"""`lockgate models`: inspect and check a file offline, add it, and see what serves."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from math import prod
from pathlib import Path
from typing import IO, Any

import click
import msgspec

from gateway.times import iso
from lockgate.commands.recorded import RecordLine, declared_by, say_record
from lockgate.commands.remote import Call, remote
from lockgate.errors import CardFaulty, UnreadableFile
from lockgate.output import note, print_json, print_table, say
from lockgate.progress import Advance, progress

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


class SwitchLine(msgspec.Struct, frozen=True, kw_only=True):
    """A flag of the model."""

    flag: str
    on: bool
    reach: str
    means: str


class HaltLine(msgspec.Struct, frozen=True, kw_only=True):
    """The model's halt."""

    mode: str
    by: str
    why: str
    since_us: int


class ServedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A model and what serves it."""

    name: str
    release: str
    version: int
    artifact: str
    upstream: str | None
    candidate: str | None
    flags: tuple[SwitchLine, ...]
    halt: HaltLine | None
    holds_waiting: int

    @property
    def row(self) -> tuple[object, ...]:
        """The model as a line of the list."""
        automated = self.flags[0]
        switched = f"on for {automated.reach}" if automated.on else "off"
        halted = self.halt.mode if self.halt else None
        return self.name, self.release, self.candidate, switched, halted, self.holds_waiting


class MomentLine(msgspec.Struct, frozen=True, kw_only=True):
    """From when on a release served."""

    release: str
    from_us: int
    action: str
    by: str
    why: str


class AboutLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers for a model and what it is for."""

    owner: str
    contact: str
    intended_use: str
    limitations: str


class CardLine(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a card that is shown."""

    about: AboutLine
    policy: msgspec.Raw


class SpecLine(msgspec.Struct, frozen=True, kw_only=True):
    """An input or output."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class ModelShown(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a model."""

    served: ServedLine
    card: CardLine
    inputs: tuple[SpecLine, ...]
    outputs: tuple[SpecLine, ...]
    history: tuple[MomentLine, ...]
    training: RecordLine | None


class AddedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What adding a file made."""

    model: str
    version: int
    release: str
    founding: bool
    artifact: str
    upstream: str = ""
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
    """Print the draft of a card for an ONNX FILE, its guesses marked '# confirm:'; needs no server."""
    from gateway.inference.admission import admit
    from gateway.inference.guess import guess
    from lockgate.drafting import draft_card

    report = asyncio.run(admit(file))
    click.echo(draft_card(report, guess(report)), nl=False)
    note(f"Keep it, fill it in, empty its list 'confirm', then type: lockgate models check {file} --card model.toml")


@models.command()
@click.argument("file", type=FILE)
@click.option("--card", type=FILE, required=True, help="The card, such as model.toml.")
@click.option("--json", "as_json", is_flag=True, help="Print the admission report as JSON.")
def check(*, file: Path, card: Path, as_json: bool) -> None:
    """Say whether FILE and its card may be served, as 'add' would, with every fault at once; needs no server."""
    from gateway.registry.checking import check as check_both

    checked = asyncio.run(check_both(file, card_text(card)))
    if checked.faults:
        raise CardFaulty(
            file=file.name,
            card=card.name,
            count=len(checked.faults),
            faults="".join(f"\n  {f}" for f in checked.faults),
        )
    if as_json:
        print_json(checked.report)
        return
    for warning in checked.warnings:
        say(f"Note: {warning}")
    say(f"{file.name} and {card.name} may be served. Type: lockgate models add NAME {file} --card {card}")


@models.command()
@click.argument("name")
@click.argument("file", type=FILE, required=False)
@click.option("--upstream", default="", metavar="ADDRESS", help="Where it runs, such as grpc://triton:8001/sentiment.")
@click.option("--card", type=FILE, required=True, help="The card, such as model.toml.")
@click.option("--data", default="", metavar="DATASET", help="The dataset that it was trained with.")
@click.option("--recipe", type=FILE, help="How it was trained, such as recipe.toml, where the files that it names lie.")
@remote
def add(call: Call, name: str, file: Path | None, upstream: str, card: Path, data: str, recipe: Path | None) -> None:
    """Add an ONNX FILE, or an upstream, as the next version of model NAME; the first one founds the model."""
    if (file is None) == (not upstream):
        raise click.UsageError("Name a FILE or an --upstream.")
    parts: dict[str, Any] = {"card": (card.name, card_text(card).encode(), "application/toml")}
    if recipe is not None:
        parts["recipe"] = ("recipe.json", declared_by(name, recipe), "application/json")
    with ExitStack() as stack:
        if file is not None:
            content = stack.enter_context(file.open("rb"))
            advance = stack.enter_context(progress(f"Sending {file.name}", file.stat().st_size))
            parts["file"] = (file.name, Counted(content, advance), "application/octet-stream")
        said = {name: value for name, value in (("data", data), ("upstream", upstream)) if value}
        answer = call.server.send("POST", f"/api/v1/models/{name}/versions", files=parts, data=said or None)
    call.show(answer, AddedLine, lambda added: _print_added(call, added))


@models.command("list")
@remote
def list_(call: Call) -> None:
    """Every model: what serves it, its flag 'automated', its halt, and the holds that wait."""
    call.rows(
        call.server.get("/api/v1/models"),
        ServedLine,
        ("model", "serves", "candidate", "automated", "halted", "holds waiting"),
        lambda one: one.row,
    )


@models.command()
@click.argument("name")
@remote
def show(call: Call, name: str) -> None:
    """What serves a model, its flags, its card and its history."""
    call.show(call.server.get(f"/api/v1/models/{name}"), ModelShown, _print_shown)


def card_text(card: Path) -> str:
    """The text of a card. Raises: UnreadableFile."""
    try:
        return card.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(path=card, why=str(error)) from error


def _print_shown(shown: ModelShown) -> None:
    served, about = shown.served, shown.card.about
    runs = f"at {served.upstream}" if served.upstream else f"file {served.artifact}"
    say(f"{served.release} serves {served.name}: version {served.version}, {runs}.")
    if served.halt is not None:
        say(f"HALTED to '{served.halt.mode}' since {iso(served.halt.since_us)} by {served.halt.by}: {served.halt.why}")
    for flag in served.flags:
        say(f"  {flag.flag} is {f'on for {flag.reach}' if flag.on else 'off'}: {flag.means}")
    say(f"Holds waiting: {served.holds_waiting}")
    say(f"Takes: {', '.join(map(_spec, shown.inputs))}")
    say(f"Gives: {', '.join(map(_spec, shown.outputs))}")
    say(f"Owner: {about.owner} ({about.contact})")
    say(f"Intended use: {about.intended_use}")
    say(f"Limitations: {about.limitations}")
    say(f"Policy: {msgspec.json.format(bytes(shown.card.policy)).decode()}")
    say_record(shown.training)
    say()
    rows = ((iso(each.from_us), each.release, each.action, each.by, each.why) for each in shown.history)
    print_table(("from", "release", "action", "by", "why"), rows)


def _spec(spec: SpecLine) -> str:
    return f"{spec.name} {spec.datatype} {list(spec.shape)}"


def _print_added(call: Call, added: AddedLine) -> None:
    for warning in added.warnings:
        say(f"Note: {warning}")
    runs = f"at {added.upstream}" if added.upstream else f"file {added.artifact[:12]}…"
    say(f"{added.release} is here: version {added.version} of {added.model}, {runs}.")
    if not added.founding:
        say("It serves nobody yet: another release is the champion.")
        return
    model, url = added.model, call.server.context.url
    inputs = call.server.get(f"/api/v1/models/{model}").read(ModelShown).inputs
    say(f"It is the founding release of {model}: it serves from now on, and all its flags are off.")
    say("Off is the safe side: every request is held until a person has judged it. What to type next:")
    say()
    say(f"  lockgate keys add {model}-caller --scope predict:{model} --scope read:{model}")
    say(f"  curl {url}/v2/models/{model}/infer -H 'Authorization: Bearer lg_…' \\")
    say(f"       -d '{_sample(inputs)}'")
    say(f"  # this caller waits for a person as long as the policy's wait_cap_s: open {url}/console/lane and judge it")
    say(f"  lockgate flags on {model}.automated --why 'its first answers were right'")


def _sample(inputs: tuple[SpecLine, ...]) -> str:
    """A request body of one item that the model takes, with made-up values."""
    tensors = [
        {"name": spec.name, "shape": shape, "datatype": spec.datatype, "data": [_value(spec.datatype)] * prod(shape)}
        for spec in inputs
        for shape in [[max(size, 1) for size in spec.shape]]
    ]
    return msgspec.json.encode({"inputs": tensors}).decode()


def _value(datatype: str) -> str | bool | float:
    made_up: dict[str, str | bool] = {"BYTES": "a text", "BOOL": False}
    return made_up.get(datatype, 0)
