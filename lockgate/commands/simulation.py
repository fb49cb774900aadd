"""`lockgate flags simulate` and `lockgate simulation`: what a change would have done to recorded traffic."""

import time
from pathlib import Path

import click
import msgspec

from gateway.times import iso
from lockgate.client import Answer
from lockgate.commands.remote import Call, remote
from lockgate.commands.simulation_shown import ReportShown, print_beside, print_report
from lockgate.commands.traffic import Moment
from lockgate.errors import UnreadableFile
from lockgate.output import note, say
from lockgate.progress import progress

LOOK_S = 0.3
OVER = frozenset({"done", "failed", "cancelled"})
FINE = 1000
"""How many steps a bar of progress has."""


class SimulationLine(msgspec.Struct, frozen=True, kw_only=True):
    """A simulation in a list."""

    id: str
    model: str
    proposal: tuple[str, ...]
    state: str
    progress: float
    result: "FiguresLine | None"
    error: str | None
    by: str
    created_us: int

    @property
    def row(self) -> tuple[object, ...]:
        """The simulation as a line of the table."""
        found = self.result
        changed = f"{found.changed.value:.1%}" if found and found.changed else None
        cases = f"{found.cases_now:.1f} → {found.cases_then:.1f}" if found else None
        return self.id, ", ".join(self.proposal), self.state, changed, cases, self.by, iso(self.created_us)


class ShareLine(msgspec.Struct, frozen=True, kw_only=True):
    """A share of the traffic."""

    value: float


class FiguresLine(msgspec.Struct, frozen=True, kw_only=True):
    """The figures by which one finds a simulation."""

    changed: ShareLine | None
    unknown: float
    cases_now: float
    cases_then: float


class Number(click.ParamType[tuple[str, object]]):
    """A number of the policy, `NAME=VALUE`; the value is JSON, or else a text."""

    name = "name=value"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, object]:
        """Name and value."""
        name, equals, text = str(value).partition("=")
        if not name or not equals:
            self.fail(f"'{value}' is not NAME=VALUE.", param, ctx)
        try:
            return name, msgspec.json.decode(text)
        except msgspec.MsgspecError:
            return name, text


@click.command()
@click.argument("model")
@click.option("--set", "settings", multiple=True, metavar="FLAG", help="Such as automated=on or candidate.rollout=25.")
@click.option("--state", type=click.Path(path_type=Path), help="Flags and segments in Unleash's JSON.")
@click.option("--policy", "numbers", type=Number(), multiple=True, help="A number of the policy, such as hold_below.")
@click.option("--since", type=Moment(), default="7d", show_default=True, help="From when: 24h, 7d or a time.")
@click.option("--until", type=Moment(), help="Until when; now unless given.")
@click.option("--decisions-max", type=click.IntRange(1), help="Sample a larger window to about so many decisions.")
@click.option("--why", default="", help="The reason; it is kept with who and when.")
@click.option("--no-wait", is_flag=True, help="Return as soon as the simulation is in the line.")
@remote
def simulate(
    call: Call,
    model: str,
    settings: tuple[str, ...],
    state: Path | None,
    numbers: tuple[tuple[str, object], ...],
    since: int,
    until: int | None,
    decisions_max: int | None,
    why: str,
    *,
    no_wait: bool,
) -> None:
    """What a change of MODEL's flags or policy would have done to recorded traffic.

    The exit code is 0 when there is a result, else 1. Ended with Ctrl-C, the simulation goes on.
    """
    body = {"settings": settings, "policy": dict(numbers), "since_us": since, "until_us": until, "why": why}
    body |= {"state": _state(state)} if state is not None else {}
    body |= {"decisions_max": decisions_max} if decisions_max is not None else {}
    answer = call.server.post(f"/api/v1/models/{model}/simulations", body)
    asked = answer.read(SimulationLine)
    note(f"Simulation {asked.id} of {model}: {', '.join(asked.proposal)}.")
    if no_wait:
        call.show(answer, SimulationLine, lambda _: None)
        return
    answer = _waited(call, answer)
    _show_ended(call, answer)
    click.get_current_context().exit(0 if answer.read(SimulationLine).state == "done" else 1)


@click.command()
@click.argument("model")
@remote
def simulations(call: Call, model: str) -> None:
    """The simulations of MODEL, the newest first."""
    heading = ("simulation", "proposal", "state", "changed", "cases an hour", "by", "asked for")
    call.rows(call.server.get(f"/api/v1/models/{model}/simulations"), SimulationLine, heading, lambda one: one.row)


@click.group()
def simulation() -> None:
    """What a change would have done, told before it is made: 'lockgate flags simulate MODEL'."""


@simulation.command()
@click.argument("simulation")
@click.option("--against", metavar="OTHER", help="Beside another simulation.")
@remote
def show(call: Call, simulation: str, against: str | None) -> None:
    """The result of a simulation, perhaps beside another one."""
    answer = call.server.get(f"/api/v1/simulations/{simulation}/report")
    if against is None:
        call.show(answer, ReportShown, print_report)
        return
    other = call.server.get(f"/api/v1/simulations/{against}/report")
    if call.as_json:
        say(msgspec.json.format(b"[%b,%b]" % (answer.body, other.body)).decode())
    else:
        print_beside(answer.read(ReportShown), other.read(ReportShown))


@simulation.command()
@click.argument("simulation")
@remote
def cancel(call: Call, simulation: str) -> None:
    """Cancel a simulation that is not over."""
    answer = call.server.post(f"/api/v1/simulations/{simulation}/cancel")
    call.show(answer, SimulationLine, lambda one: say(f"{one.id} is {one.state}."))


def _waited(call: Call, answer: Answer) -> Answer:
    """The simulation once it is over."""
    one = answer.read(SimulationLine)
    with progress(f"Simulating {one.model}", FINE) as advance:
        told = 0
        while one.state not in OVER:
            time.sleep(LOOK_S)
            answer = call.server.get(f"/api/v1/simulations/{one.id}")
            one = answer.read(SimulationLine)
            advance(int(one.progress * FINE) - told)
            told = int(one.progress * FINE)
    return answer


def _show_ended(call: Call, answer: Answer) -> None:
    one = answer.read(SimulationLine)
    if one.state == "done":
        call.show(call.server.get(f"/api/v1/simulations/{one.id}/report"), ReportShown, print_report)
        note(f"Shared by link: {call.server.context.url}/console/simulations/{one.id}")
    else:
        call.show(answer, SimulationLine, lambda found: say(f"It is {found.state}: {found.error or 'no result'}"))


def _state(file: Path) -> msgspec.Raw:
    """The JSON in a file. Raises: UnreadableFile."""
    try:
        text = file.read_bytes()
        msgspec.json.decode(text)
    except (OSError, msgspec.DecodeError) as error:
        raise UnreadableFile(path=file, why=str(error)) from error
    return msgspec.Raw(text)
