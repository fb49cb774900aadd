"""What every command that talks to a server shares: which server, and whether the answer is wanted as JSON."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

import click
import msgspec

from lockgate.client import Answer, Server, talking_to
from lockgate.contexts import choose
from lockgate.environment import read_client_environment
from lockgate.output import print_table, say

T = TypeVar("T")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a command: the server it talks to and how it prints."""

    server: Server
    as_json: bool

    def show(self, answer: Answer, kind: type[T], print_it: Callable[[T], None]) -> None:
        """Print an answer: as it came with --json, else for people."""
        if self.as_json:
            say(msgspec.json.format(answer.body or b"null").decode())
        else:
            print_it(answer.read(kind))

    def rows(self, answer: Answer, kind: type[T], heading: Sequence[str], row: Callable[[T], Sequence[object]]) -> None:
        """Print a list as a table, or as it came with --json."""
        self.show(answer, list[kind], lambda found: print_table(heading, map(row, found)))  # type: ignore[valid-type]

    def done(self, answer: Answer, sentence: str) -> None:
        """Say what was done, or print the answer with --json."""
        self.show(answer, msgspec.Raw, lambda _: say(sentence)) if answer.body else say(sentence)


def remote(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its `call` as first argument, with --url, --context and --json."""

    @click.option("--json", "as_json", is_flag=True, help="Print the server's answer as JSON.")
    @click.option("--context", metavar="NAME", help="The context to use; 'lockgate contexts' lists them.")
    @click.option("--url", metavar="URL", help="The server to talk to.")
    @wraps(command)
    def with_call(*, url: str | None, context: str | None, as_json: bool, **given: object) -> None:
        with talking_to(choose(read_client_environment(), url, context)) as server:
            command(Call(server=server, as_json=as_json), **given)

    return with_call
