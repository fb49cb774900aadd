"""`lockgate bundle`: a release in one archive, taken from a server and verified without one."""

import asyncio
from pathlib import Path
from typing import Any

import click
import msgspec

from lockgate.commands.models import FILE, Counted
from lockgate.commands.moves import RELEASE
from lockgate.commands.remote import Call, remote
from lockgate.errors import UnreadableFile
from lockgate.output import note, print_json, say
from lockgate.progress import progress, waiting


class ImportedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that is there now."""

    came_as: str
    release: str
    new: bool
    founding: bool
    warnings: tuple[str, ...]


class Bundles(click.Group):
    """A group in which a release is a command, too: `bundle sentiment@7` takes its bundle."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant."""
        return super().resolve_command(ctx, ["take", *args] if "@" in args[0] else args)


@click.group(cls=Bundles)
def bundle() -> None:
    """A release in one archive, with everything that belongs to it: 'lockgate bundle sentiment@7'."""


@bundle.command()
@click.argument("release", type=RELEASE)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file; MODEL-NUMBER.bundle.zip else.")
@remote
def take(call: Call, release: tuple[str, int], out: Path | None) -> None:
    """Write the bundle of RELEASE, such as sentiment@7, to one file; 'lockgate bundle RELEASE' does the same."""
    from review.bundle.verifying import require_whole

    model, number = release
    file = out or Path(f"{model}-{number}.bundle.zip")
    with waiting(f"Bundling {model}@{number}"):
        size = call.server.download(f"/api/v1/models/{model}/releases/{number}/bundle", file, {})
    verified = require_whole(file)
    if call.as_json:
        print_json({"file": str(file), "bytes": size, "bundle": verified.bundle, "release": verified.release})
        return
    say(f"{file}: {verified.release} in {verified.files} files, {size:,} bytes. Its manifest is {verified.bundle}.")
    note(f"Check it anywhere with: lockgate bundle verify {file} --replay")


@bundle.command()
@click.argument("file", type=FILE)
@click.option("--replay", "replays", is_flag=True, help="Make its report again, from the bundle alone.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def verify(*, file: Path, replays: bool, as_json: bool) -> None:
    """Compare every file of a bundle with its manifest; needs no server.

    The exit code is 0 when all is as it says, and with --replay the report comes out the same, to the byte; else 1.
    """
    from review.bundle.verifying import verify as verify_file

    try:
        found = verify_file(file)
    except OSError as error:
        raise UnreadableFile(path=file, why=error.strerror or "it cannot be read") from error
    replayed = _replay(file) if replays and found.whole else None
    if as_json:
        print_json({"verified": found, "replayed": replayed})
    else:
        _print(found, replayed)
    good = found.whole and (replayed is None or not replayed.difference)
    click.get_current_context().exit(0 if good else 1)


@bundle.command("import")
@click.argument("file", type=FILE)
@remote
def import_(call: Call, file: Path) -> None:
    """Bring a bundle into a Lockgate: its version, a release, and everything that is attached to it."""
    with file.open("rb") as content, progress(f"Sending {file.name}", file.stat().st_size) as advance:
        part = (file.name, Counted(content, advance), "application/zip")
        answer = call.server.send("POST", "/api/v1/bundles", files={"file": part})
    call.show(answer, ImportedLine, _print_imported)


def _print_imported(done: ImportedLine) -> None:
    if not done.new:
        say(f"This bundle was imported before: it is {done.release}. Nothing was changed.")
        return
    for warning in done.warnings:
        say(f"Note: {warning}")
    say(f"{done.came_as} is here as {done.release}, with what was attached to it.")
    if done.founding:
        note("It is the first release of its model here: it serves from now on, and all its flags are off.")
    else:
        note(f"It serves nobody yet. Evaluate it beside the champion, then: lockgate gate {done.release}")


def _replay(file: Path) -> Any:
    from review.bundle.replaying import replay

    with waiting("Making its report again"):
        return asyncio.run(replay(file))


def _print(found: Any, replayed: Any) -> None:
    from review.bundle.verifying import words

    say(f"{found.release} in {found.files} files, {found.bytes:,} bytes. Its manifest is {found.bundle}.")
    for absent in found.absent:
        say(f"  no {absent.role.replace('_', ' ')}: {absent.why}")
    for fault in found.faults:
        say(f"NOT AS IT SAYS: {fault.file} is {words(fault)}.")
    if found.whole:
        say("Every file is as its manifest says.")
    for sentence in found.unproven:
        say(sentence)
    if replayed is not None and replayed.difference:
        say(f"THE REPORT COMES OUT DIFFERENTLY: {replayed.difference}.")
    elif replayed is not None:
        say(f"Its report was made again from the bundle alone: the same bytes, {replayed.report}.")
        for release in replayed.not_run:
            say(f"  {release} was not asked again; what it said then was read.")
