"""`lockgate queues` and `lockgate cases`: what waits for people."""

import click
import msgspec

from gateway.times import iso
from lockgate.commands.remote import Call, remote
from lockgate.output import print_table, say


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a queue that a list shows."""

    agreement: str
    deadline_s: float


class QueueFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A queue with its rules in force."""

    name: str
    latest: Revision


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much waits."""

    by_state: dict[str, int]
    overdue: int

    @property
    def undecided(self) -> int:
        """How many cases are not decided yet."""
        return sum(self.by_state.get(state, 0) for state in ("open", "claimed", "partial", "adjudicating"))


class QueueLine(msgspec.Struct, frozen=True, kw_only=True):
    """A queue as a line of the list."""

    queue: QueueFacts
    size: Size


class CaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """A case as a line of the list."""

    id: str
    kind: str
    queue: str
    model: str
    rule: str
    state: str
    due_us: int


class CasePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of cases."""

    cases: tuple[CaseLine, ...]


class EffectLines(msgspec.Struct, frozen=True, kw_only=True):
    """What a settled case changed, in words."""

    about_item: tuple[str, ...]
    about_period: tuple[str, ...]


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
        ("queue", "undecided", "overdue", "agreement", "deadline"),
        _queue_cells,
    )


def _queue_cells(line: QueueLine) -> tuple[object, ...]:
    latest = line.queue.latest
    return line.queue.name, line.size.undecided, line.size.overdue, latest.agreement, f"{latest.deadline_s:.0f} s"


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
    call.show(
        call.server.get("/api/v1/cases", queue=queue, state=state, limit=limit),
        CasePage,
        lambda page: print_table(("id", "queue", "kind", "state", "rule", "due"), map(_case_cells, page.cases)),
    )


def _case_cells(case: CaseLine) -> tuple[object, ...]:
    return case.id, case.queue, case.kind, case.state, case.rule, iso(case.due_us)


@cases.command("show")
@click.argument("case_id")
@remote
def show_case(call: Call, case_id: str) -> None:
    """A case with its evidence, claims and verdicts."""
    say(msgspec.json.format(call.server.get(f"/api/v1/cases/{case_id}").body).decode())


@cases.command("effect")
@click.argument("case_id")
@remote
def show_effect(call: Call, case_id: str) -> None:
    """What a settled case says about the champion and the candidate."""
    answer = call.server.get(f"/api/v1/cases/{case_id}/effect")
    call.show(answer, EffectLines, lambda told: say("\n".join((*told.about_item, *told.about_period))))
