"""`lockgate queues` and `lockgate cases`: what waits for people."""

import click
import msgspec

from gateway.times import iso
from lockgate.commands.remote import Call, remote
from lockgate.output import say


class QueueLine(msgspec.Struct, frozen=True, kw_only=True):
    """A queue as a line of the list."""

    name: str
    model: str | None = None
    open: int = 0
    agreement: str = ""
    deadline_s: float = 0.0


class CaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """A case as a line of the list."""

    id: str
    kind: str
    state: str
    rule: str
    model: str = ""
    due_us: int


@click.group()
def queues() -> None:
    """Queues and their rules."""


@queues.command("list")
@remote
def list_queues(call: Call) -> None:
    """Every queue with what waits in it."""
    call.rows(
        call.server.get("/api/v1/queues"),
        QueueLine,
        ("queue", "model", "open", "agreement", "deadline"),
        lambda one: (one.name, one.model or "any", one.open, one.agreement, f"{one.deadline_s:.0f} s"),
    )


@queues.command("show")
@click.argument("name")
@remote
def show_queue(call: Call, name: str) -> None:
    """A queue's rules and members."""
    say(msgspec.json.format(call.server.get(f"/api/v1/queues/{name}").body).decode())


@click.group()
def cases() -> None:
    """Cases before people."""


@cases.command("list")
@click.option("--queue", help="Only of this queue.")
@click.option("--state", help="Only in this state, such as open or adjudicating.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@remote
def list_cases(call: Call, queue: str | None, state: str | None, limit: int) -> None:
    """Cases, the next one first."""
    call.rows(
        call.server.get("/api/v1/cases", queue=queue, state=state, limit=limit),
        CaseLine,
        ("id", "kind", "state", "rule", "due"),
        lambda one: (one.id, one.kind, one.state, one.rule, iso(one.due_us)),
    )


@cases.command("show")
@click.argument("case_id")
@remote
def show_case(call: Call, case_id: str) -> None:
    """A case with its evidence, claims and verdicts."""
    say(msgspec.json.format(call.server.get(f"/api/v1/cases/{case_id}").body).decode())
