"""`lockgate releases` and `lockgate history`: what releases there are, what is in them, and what served when."""

from pathlib import Path

import click
import msgspec

from gateway.times import iso
from lockgate.commands.models import FILE
from lockgate.commands.moves import RELEASE, DifferenceLine
from lockgate.commands.recorded import RecordLine, say_record
from lockgate.commands.remote import Call, remote
from lockgate.errors import UnreadableFile
from lockgate.output import note, print_table, say


class ReleaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """A release as a line of the list."""

    release: str
    version: int
    stands: str
    by: str
    why: str | None
    created_us: int

    @property
    def row(self) -> tuple[object, ...]:
        """The release as a line of the table."""
        return self.release, self.version, self.stands, iso(self.created_us), self.by, self.why


class AttachedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is attached to a release."""

    role: str
    sha256: str


class LabelsLine(msgspec.Struct, frozen=True, kw_only=True):
    """The categories of errors of a label schema, and who owns them."""

    reasons: tuple[str, ...] = ()
    owners: dict[str, str] = {}


class ReleaseShown(msgspec.Struct, frozen=True, kw_only=True):
    """A release with everything in it."""

    line: ReleaseLine
    parent: str | None
    policy: msgspec.Raw
    labels: LabelsLine
    guideline: str
    digests: dict[str, str]
    attached: tuple[AttachedLine, ...]
    difference: DifferenceLine
    lowered: tuple[str, ...]
    training: RecordLine | None


class CreatedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A release that was made."""

    release: str
    version: int
    parent: str
    raises_control: bool
    lowered: tuple[str, ...]


class ServedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which a release served."""

    release: str
    from_us: int
    until_us: int | None
    action: str
    by: str
    why: str
    forced: bool
    second_person: str | None

    @property
    def row(self) -> tuple[object, ...]:
        """The time as a line of the table."""
        until = iso(self.until_us) if self.until_us is not None else "now"
        forced = "forced" if self.forced else None
        return iso(self.from_us), until, self.release, self.action, self.by, self.second_person, forced, self.why


@click.group()
def releases() -> None:
    """Make releases and look at them."""


@releases.command("list")
@click.argument("model")
@remote
def list_(call: Call, model: str) -> None:
    """Every release of a model, and how each stands."""
    heading = ("release", "version", "stands", "made", "by", "why")
    call.rows(call.server.get(f"/api/v1/models/{model}/releases"), ReleaseLine, heading, lambda one: one.row)


@releases.command()
@click.argument("release", type=RELEASE)
@remote
def show(call: Call, release: tuple[str, int]) -> None:
    """What is in RELEASE, such as sentiment@7, and what would change if it served."""
    call.show(call.server.get(_path(release)), ReleaseShown, _print_shown)


@releases.command()
@click.argument("before", type=RELEASE)
@click.argument("after", type=RELEASE)
@remote
def diff(call: Call, before: tuple[str, int], after: tuple[str, int]) -> None:
    """What differs between two releases of a model, in plain lines."""
    if before[0] != after[0]:
        raise click.UsageError("Both must be releases of one model.")
    found = call.server.get(f"{_path(after)}/difference", before=before[1])
    call.show(found, DifferenceLine, lambda one: say("\n".join(one.lines)))


@releases.command()
@click.argument("model")
@click.option("--card", type=FILE, required=True, help="A card whose policy, labels and guideline are meant.")
@click.option("--version", type=click.IntRange(1), help="The version, if not the champion's.")
@click.option("--data", default="", metavar="DATASET", help="The dataset that it was trained with.")
@click.option("--simulation", metavar="ID", help="The simulation on which it rests.")
@click.option("--why", required=True, help="The reason; it is kept with who and when.")
@remote
def create(
    call: Call, model: str, card: Path, version: int | None, data: str, simulation: str | None, why: str
) -> None:
    """Make a release of MODEL with another policy, guideline or label schema, without a new version."""
    try:
        text = card.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(path=card, why=str(error)) from error
    body = {"card": text, "version": version, "data": data, "why": why, "simulation": simulation}
    call.show(call.server.post(f"/api/v1/models/{model}/releases", body), CreatedLine, _print_created)


@click.command()
@click.argument("model")
@click.option("--at", metavar="TIME", help="Only what served at 14:03 of today, or 2026-11-28T14:03, in UTC.")
@remote
def history(call: Call, model: str, at: str | None) -> None:
    """What served MODEL when, who decided that, why, and whether it was forced."""
    heading = ("from", "until", "release", "action", "by", "second person", "forced", "why")
    call.rows(call.server.get(f"/api/v1/models/{model}/history", at=at), ServedLine, heading, lambda one: one.row)


def _path(release: tuple[str, int]) -> str:
    return f"/api/v1/models/{release[0]}/releases/{release[1]}"


def _print_shown(shown: ReleaseShown) -> None:
    line = shown.line
    parent = f", after {shown.parent}" if shown.parent else ""
    say(f"{line.release} is version {line.version}, made {iso(line.created_us)} by {line.by}{parent}: {line.stands}.")
    if line.why:
        say(f"Why: {line.why}")
    rows = [*shown.digests.items(), *((f"attached {each.role}", each.sha256) for each in shown.attached)]
    print_table(("part", "SHA-256"), rows)
    say(f"Policy: {msgspec.json.format(bytes(shown.policy)).decode()}")
    for reason in shown.labels.reasons:
        say(f"Errors of {reason} are owned by {shown.labels.owners.get(reason, 'nobody')}.")
    say_record(shown.training)
    if line.stands != "champion":
        say(f"Beside {shown.difference.before}, which serves:")
        say("\n".join(f"  {each}" for each in shown.difference.lines))


def _print_created(made: CreatedLine) -> None:
    say(f"{made.release} is here: version {made.version} with documents of its own. It serves nobody yet.")
    if made.raises_control:
        note(f"It only raises human control beside {made.parent}: it may go live at once.")
        return
    for reason in made.lowered:
        note(reason)
