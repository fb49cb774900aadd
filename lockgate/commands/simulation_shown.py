"""How the result of a simulation is printed."""

import msgspec

from gateway.times import iso
from lockgate.output import note, print_table, say

Row = tuple[object, ...]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its interval."""

    value: float
    low: float
    high: float
    n: int

    @property
    def percent(self) -> str:
        """The figure as a share."""
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%})"

    @property
    def number(self) -> str:
        """The figure as a number, with the outcomes that it rests on."""
        return f"{self.value:,.1f} ({self.low:,.1f} to {self.high:,.1f}; n = {self.n})"


class ChangeShown(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that come out alike."""

    path_now: str
    rule_now: str
    path_then: str
    rule_then: str
    requests: float
    examples: tuple[str, ...]


class LoadShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a side asks of people."""

    cases_an_hour: float
    peak_an_hour: float
    review_hours_a_day: float | None
    reviewers_needed: float | None
    delay_s: float | None
    peak_delay_s: float | None
    overloaded: bool
    peak_overloaded: bool
    growth_an_hour: float


class ErrorsShown(msgspec.Struct, frozen=True, kw_only=True):
    """Wrong answers among items."""

    items: float
    errors: Figure | None
    unknown_items: float


class ExpectedShown(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out wrong, and what people catch."""

    through: ErrorsShown
    caught: ErrorsShown


class SideShown(msgspec.Struct, frozen=True, kw_only=True):
    """One side."""

    paths: dict[str, float]
    load: LoadShown
    expected: ExpectedShown


class UnknownShown(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of which nothing is said."""

    why: str
    requests: float


class PeopleShown(msgspec.Struct, frozen=True, kw_only=True):
    """Who judges."""

    queue: str
    reviewers: int


class FidelityShown(msgspec.Struct, frozen=True, kw_only=True):
    """How what was recorded under the same comes out."""

    requests: int
    as_recorded: int


class ReportShown(msgspec.Struct, frozen=True, kw_only=True):
    """A simulation."""

    model: str
    proposal: tuple[str, ...]
    since_us: int
    until_us: int
    keep: float
    read: int
    requests: float
    unknown: tuple[UnknownShown, ...]
    changed: Figure | None
    changes: tuple[ChangeShown, ...]
    now: SideShown
    then: SideShown
    people: PeopleShown
    fidelity: FidelityShown


def print_report(report: ReportShown) -> None:
    """Print a result for people."""
    say(f"{report.model}, {iso(report.since_us)} to {iso(report.until_us)}: {', '.join(report.proposal)}")
    if report.keep < 1.0:
        say(f"Sampled: each decision with probability {report.keep:.3g}; {report.read:,} were read.")
    if report.changed is None:
        say("Nothing in this window could be judged.")
    else:
        say(f"Of {report.requests:,.0f} requests {report.changed.percent} change their path.")
        moved = [one for one in report.changes if one.path_now != one.path_then]
        if moved:
            print_table(("now", "then", "requests", "such as"), map(_change, moved))
        print_table(("", "now", "then"), _figures(report.now, report.then))
        note(f"{report.people.reviewers} may judge in the queue {report.people.queue}.")
    for one in report.unknown:
        say(f"Not judged: {one.requests:,.0f} requests, because {one.why}.")
    same = report.fidelity
    if same.requests:
        say(f"Of {same.requests:,} decided under just what is in force {same.as_recorded:,} come out as recorded.")


def print_beside(one: ReportShown, other: ReportShown) -> None:
    """Print the proposals of two results beside what is in force."""
    say(f"A: {', '.join(one.proposal)}; {one.requests:,.0f} requests of {one.model}")
    say(f"B: {', '.join(other.proposal)}; {other.requests:,.0f} requests of {other.model}")
    rows = zip(_figures(one.now, one.then), _figures(other.now, other.then), strict=True)
    print_table(("", "now", "A", "B"), ((*first, second[2]) for first, second in rows))
    if (one.since_us, one.until_us) != (other.since_us, other.until_us):
        note("They are about different windows of the traffic.")


def _change(one: ChangeShown) -> Row:
    now, then = f"{one.path_now} ({one.rule_now})", f"{one.path_then} ({one.rule_then})"
    return now, then, f"{one.requests:,.0f}", one.examples[0] if one.examples else None


def _figures(now: SideShown, then: SideShown) -> list[Row]:
    sides = (now, then)
    paths = [
        (path, *(f"{side.paths.get(path, 0):,.0f}" for side in sides)) for path in ("automated", "shadow", "review")
    ]
    return [
        *paths,
        ("cases an hour", *(f"{side.load.cases_an_hour:.1f}" for side in sides)),
        ("in the busiest hour", *(f"{side.load.peak_an_hour:.1f}" for side in sides)),
        ("review hours a day", *(_hours(side.load) for side in sides)),
        ("wait for a reviewer", *(_wait(side.load.delay_s, side.load.overloaded) for side in sides)),
        ("in the busiest hour", *(_wait(side.load.peak_delay_s, side.load.peak_overloaded) for side in sides)),
        ("wrong, let through", *(_errors(side.expected.through) for side in sides)),
        ("wrong, caught", *(_errors(side.expected.caught) for side in sides)),
    ]


def _hours(load: LoadShown) -> str:
    return "not known" if load.review_hours_a_day is None else f"{load.review_hours_a_day:.1f}"


def _wait(seconds: float | None, overloaded: bool) -> str:
    if overloaded:
        return "grows without end"
    return "not known" if seconds is None else f"{seconds:,.0f} s"


def _errors(found: ErrorsShown) -> str:
    if found.errors is None:
        return "not known" if found.unknown_items else "none"
    more = f", and of {found.unknown_items:,.0f} items nothing is known" if found.unknown_items else ""
    return f"{found.errors.number}{more}"
