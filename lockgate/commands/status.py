"""`lockgate status` and `lockgate version`."""

from importlib.metadata import version as version_of

import click
import msgspec

from gateway.times import SECOND_US, now_us
from lockgate.commands.remote import Call, remote
from lockgate.errors import NotAllowed
from lockgate.output import print_json, say


class ServerLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says of itself."""

    version: str


class MeLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who the server takes us for."""

    kind: str
    name: str


class ReadyLine(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the server takes requests."""

    ready: bool


class FlagsLine(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server's flags are kept, and how well they are known."""

    source: str
    url: str | None
    revision: int
    known_us: int | None
    error: str | None

    def told(self, now_us: int) -> str:
        """All of it in a line."""
        if self.url is None:
            return f"flags are kept here, revision {self.revision}"
        known = "never fetched" if self.known_us is None else f"current {_seconds(now_us - self.known_us)} ago"
        said = f"flags are those of Unleash at {self.url}, revision {self.revision}, {known}"
        return f"{said}; {self.error}" if self.error else said


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A server, whether it takes requests, and who one is there."""

    url: str
    version: str
    ready: bool
    me: MeLine
    flags: FlagsLine | None
    """None where the key may not look at flags."""


@click.command()
@remote
def status(call: Call) -> None:
    """Whether the server takes requests, which release it is, and who one is there."""
    server = call.server.get("/v2").read(ServerLine)
    ready = call.server.get("/v2/health/ready").read(ReadyLine)
    me = call.server.get("/api/v1/me").read(MeLine)
    flags = _flags(call)
    found = Status(url=call.server.context.url, version=server.version, ready=ready.ready, me=me, flags=flags)
    if call.as_json:
        print_json(found)
        return
    say(f"{found.url}  Lockgate {found.version}, {'takes requests' if found.ready else 'not ready'}")
    say(f"signed in as {me.name} ({me.kind})")
    if flags is not None:
        say(flags.told(now_us()))


def _flags(call: Call) -> FlagsLine | None:
    """How the flags are; None for a key that may not look."""
    try:
        return call.server.get("/api/v1/flags/source").read(FlagsLine)
    except NotAllowed:
        return None


def _seconds(us: int) -> str:
    return f"{max(0, us) // SECOND_US} s"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def version(*, as_json: bool) -> None:
    """This release of the command."""
    if as_json:
        print_json({"version": version_of("lockgate")})
    else:
        say(version_of("lockgate"))
