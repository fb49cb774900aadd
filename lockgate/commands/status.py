"""`lockgate status` and `lockgate version`."""

from importlib.metadata import version as version_of

import click
import msgspec

from lockgate.commands.remote import Call, remote
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


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A server, whether it takes requests, and who one is there."""

    url: str
    version: str
    ready: bool
    me: MeLine


@click.command()
@remote
def status(call: Call) -> None:
    """Whether the server takes requests, which release it is, and who one is there."""
    server = call.server.get("/v2").read(ServerLine)
    ready = call.server.get("/v2/health/ready").read(ReadyLine)
    me = call.server.get("/api/v1/me").read(MeLine)
    found = Status(url=call.server.context.url, version=server.version, ready=ready.ready, me=me)
    if call.as_json:
        print_json(found)
        return
    say(f"{found.url}  Lockgate {found.version}, {'takes requests' if found.ready else 'not ready'}")
    say(f"signed in as {me.name} ({me.kind})")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def version(*, as_json: bool) -> None:
    """This release of the command."""
    if as_json:
        print_json({"version": version_of("lockgate")})
    else:
        say(version_of("lockgate"))
