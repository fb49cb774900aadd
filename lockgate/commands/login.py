"""`lockgate login` and `lockgate contexts`: which servers are known here, with which key."""

import socket
import sys

import click
import msgspec

from lockgate.client import talking_to
from lockgate.contexts import DEFAULT_NAME, DEFAULT_URL, Context, read_contexts, write_contexts
from lockgate.environment import read_client_environment
from lockgate.errors import Refused
from lockgate.output import note, print_json, print_table, say
from lockgate.sources import MASK


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who a key belongs to."""

    kind: str
    name: str


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was made by joining."""

    key: str


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to joining with a link."""

    key: Made


@click.command()
@click.option("--url", metavar="URL", help=f"The server; {DEFAULT_URL} unless set before.")
@click.option("--context", "name", metavar="NAME", default=DEFAULT_NAME, show_default=True, help="Keep it as this.")
@click.option("--join", "link", metavar="LINK", help="Join with this link first, and take a key for oneself.")
@click.option("--name", "person", metavar="NAME", help="With --join: your name.")
@click.option("--email", metavar="ADDRESS", help="With --join: your address.")
def login(url: str | None, name: str, link: str | None, person: str | None, email: str | None) -> None:
    """Keep a key for a server.

    On a terminal it asks for a key and says on which page to make one; otherwise it reads the key from standard input.
    """
    settings = read_client_environment()
    known = read_contexts(settings.contexts_file)
    kept = known.contexts.get(name, Context(url=DEFAULT_URL))
    chosen = (url or (link or "").partition("/console/join/")[0] or settings.url or kept.url).rstrip("/")
    token = _join(chosen, link, person, email) if link else _ask_for_key(chosen)
    context = Context(url=chosen, token=token)
    with talking_to(context) as server:
        me = server.get("/api/v1/me").read(Me)
    write_contexts(settings.contexts_file, known.having(name, context))
    note(f"Signed in at {chosen} as {me.name} ({me.kind}); kept as context '{name}'.")


def _ask_for_key(url: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    note(f"Make a key for yourself on {url}/console/keys and paste it here.")
    return str(click.prompt("Key", hide_input=True, err=True)).strip()


def _join(url: str, link: str, person: str | None, email: str | None) -> str:
    token = link.partition("/console/join/")[2]
    if not token:
        raise Refused(detail="--join wants the whole link, such as http://127.0.0.1:8000/console/join/…")
    if sys.stdin.isatty():
        password = str(click.prompt("Choose a password", hide_input=True, confirmation_prompt=True, err=True))
    else:
        password = sys.stdin.readline().rstrip("\n")
    body = {
        "token": token,
        "password": password,
        "name": person or "",
        "email": email or "",
        "key_name": f"command line on {socket.gethostname()}",
    }
    with talking_to(Context(url=url)) as server:
        return server.post("/api/v1/join", body).read(Joined).key.key


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; keys are masked.")
@click.pass_context
def contexts(context: click.Context, *, as_json: bool) -> None:
    """The servers that are known here."""
    if context.invoked_subcommand is not None:
        return
    known = read_contexts(read_client_environment().contexts_file)
    if as_json:
        masked = {name: Context(url=one.url, token=MASK if one.token else "") for name, one in known.contexts.items()}
        print_json({"current": known.current, "contexts": masked})
        return
    rows = [("*" if name == known.current else "", name, one.url) for name, one in known.contexts.items()]
    print_table(("", "name", "server"), rows)


@contexts.command("use")
@click.argument("name")
def use(name: str) -> None:
    """Make a context the current one."""
    path = read_client_environment().contexts_file
    known = read_contexts(path)
    write_contexts(path, known.having(name, known.named(name)))
    say(f"Commands talk to {known.named(name).url} now.")


@contexts.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Forget a context and its key."""
    path = read_client_environment().contexts_file
    write_contexts(path, read_contexts(path).without(name))
    say(f"Context '{name}' is forgotten here; its key works until it is revoked ('lockgate keys revoke').")
