"""The result of a simulation: what would change, for whom, what it asks of people, and what it lets through. PURE.

Counts are scaled to the whole window where the traffic was sampled; `read` and `keep` say by how much.
"""

from collections.abc import Mapping, Sequence

import msgspec

from review.learning.intervals import share
from review.release.evidence import Interval
from review.simulation.expected import Expected, expected_of
from review.simulation.load import Load, Pace, load_of
from review.simulation.tally import CLASSES_MAX, HOUR_US, OTHERS, Hour, Tally

MEDIA_TYPE = "application/vnd.lockgate.simulation+json"
FORMAT = "lockgate.simulation/1"
REASONS = {
    "folded": "the entry was too large, and only its head stands in the log",
    "context": "a flag reads a field of the context that was not recorded, or draws at random",
    "age": "flags were too old then, and it is not recorded how old",
    "asked": "the entry does not tell whether the caller asked for a person",
    "version": "another version of the model would answer than the one that did",
    "correction": "people's correction answered then, and what the model said was not kept",
    "findings": "the entry does not tell what else would have held it",
}
"""Why of some requests nothing is said."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that come out alike on both sides."""

    path_now: str
    rule_now: str
    path_then: str
    rule_then: str
    requests: float
    examples: tuple[str, ...]
    """A random few of their ids, where the path changes."""


class ByCaller(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of one key of a tenant by their path on both sides."""

    tenant: str
    caller: str
    """The name of the key."""
    path_now: str
    path_then: str
    requests: float


class ByClass(msgspec.Struct, frozen=True, kw_only=True):
    """Items that were answered with a class: how many there are, and how many each side holds."""

    name: str
    items: float
    held_now: float
    held_then: float


class ByHour(msgspec.Struct, frozen=True, kw_only=True):
    """An hour of the traffic."""

    at_us: int
    requests: float
    cases_now: float
    cases_then: float


class SideShown(msgspec.Struct, frozen=True, kw_only=True):
    """One side: paths, cases, and errors."""

    paths: dict[str, float]
    held_items: float
    audits: float
    """To be expected."""
    load: Load
    expected: Expected


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of which nothing is said, and why."""

    reason: str
    why: str
    requests: float


class Fidelity(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that were decided under exactly what is in force: how many come out as they were recorded."""

    requests: int
    as_recorded: int
    differing: tuple[Change, ...] = ()
    """The recorded path and rule, and the simulated ones."""


class People(msgspec.Struct, frozen=True, kw_only=True):
    """Who judges the model's cases, and how fast verdicts were."""

    queue: str
    reviewers: int
    verdicts_each: int
    """How many equal verdicts a case needs at least."""
    pace: Pace | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A simulation."""

    format: str
    model: str
    proposal: tuple[str, ...]
    release: str
    """The champion, whose policy is in force."""
    state_now: str
    state_then: str
    policy: dict[str, tuple[object, object]]
    """The numbers that the proposal changes: now, and then."""
    since_us: int
    until_us: int
    made_us: int
    keep: float
    """The probability with which each decision of the window was read."""
    read: int
    unknown: tuple[Unknown, ...]
    changed: Interval | None
    """The share of requests, among those that could be judged, whose path changes; an interval of 95 %."""
    requests: float
    """Those that could be judged."""
    changes: tuple[Change, ...]
    callers: tuple[ByCaller, ...]
    classes: tuple[ByClass, ...]
    hours: tuple[ByHour, ...]
    now: SideShown
    then: SideShown
    people: People
    fidelity: Fidelity

    @property
    def unknown_share(self) -> float:
        """The share of the traffic that could not be judged."""
        lost = sum(one.requests for one in self.unknown)
        return lost / (lost + self.requests) if lost else 0.0


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says beside its counts."""

    model: str
    proposal: tuple[str, ...]
    release: str
    state_now: str
    state_then: str
    policy: dict[str, tuple[object, object]]
    since_us: int
    until_us: int
    made_us: int
    keep: float
    people: People
    tenant: str
    keys: dict[str, str]
    """The names of callers' keys, by their ids."""


def report_of(tally: Tally, frame: Frame) -> Report:
    """The report of the counts."""
    scale = 1.0 / frame.keep
    moved = sum(count for move, count in tally.moves.items() if move[0] != move[2])
    known = sum(tally.moves.values())
    framed = {name: getattr(frame, name) for name in Frame.__struct_fields__ if name in Report.__struct_fields__}
    return Report(
        **framed,
        format=FORMAT,
        read=tally.read,
        unknown=tuple(
            Unknown(reason=reason, why=REASONS[reason], requests=count * scale)
            for reason, count in sorted(tally.unknown.items(), key=lambda one: -one[1])
        ),
        changed=share(moved, known),
        requests=known * scale,
        changes=_changes(tally.moves, tally.examples, scale),
        callers=tuple(
            ByCaller(
                tenant=frame.tenant,
                caller=frame.keys.get(key, key),
                path_now=now,
                path_then=then,
                requests=count * scale,
            )
            for (key, now, then), count in sorted(tally.callers.items())
        ),
        classes=_classes(tally.classes, scale),
        hours=_hours(tally.hours, scale),
        now=_side(tally, frame, scale, then=False),
        then=_side(tally, frame, scale, then=True),
        fidelity=Fidelity(
            requests=tally.comparable, as_recorded=tally.as_recorded, differing=_changes(tally.differing, {}, 1.0)
        ),
    )


def report_bytes(report: Report) -> bytes:
    """The report as it is kept: the same counts give the same bytes."""
    return msgspec.json.encode(report, order="deterministic")


def read_report(data: bytes) -> Report:
    """A kept report."""
    return msgspec.json.decode(data, type=Report)


def _changes(
    moves: Mapping[tuple[str, str, str, str], int],
    examples: Mapping[tuple[str, str, str, str], Sequence[tuple[int, str]]],
    scale: float,
) -> tuple[Change, ...]:
    """Those that change the path first, the most frequent first."""
    ordered = sorted(moves.items(), key=lambda one: (one[0][0] == one[0][2], -one[1], one[0]))
    return tuple(
        Change(
            path_now=move[0], rule_now=move[1], path_then=move[2], rule_then=move[3], requests=count * scale,
            examples=tuple(prediction for _, prediction in examples.get(move, ())),
        )
        for move, count in ordered
    )  # fmt: skip


def _classes(counts: Mapping[tuple[str, bool, bool], int], scale: float) -> tuple[ByClass, ...]:
    sums: dict[str, list[float]] = {}
    for (name, now, then), count in counts.items():
        summed = sums.setdefault(name, [0.0, 0.0, 0.0])
        for place, counts_in in enumerate((True, now, then)):
            summed[place] += count * scale * counts_in
    ordered = sorted(sums.items(), key=lambda one: (-one[1][0], one[0]))
    rest = [sum(column) for column in zip(*(values for _, values in ordered[CLASSES_MAX:]), strict=True)]
    shown = ordered[:CLASSES_MAX] + ([(OTHERS, rest)] if rest else [])
    return tuple(
        ByClass(name=name or "–", items=values[0], held_now=values[1], held_then=values[2]) for name, values in shown
    )


def _hours(hours: Mapping[int, Hour], scale: float) -> tuple[ByHour, ...]:
    """Every hour from the first to the last, quiet ones included."""
    if not hours:
        return ()
    every = ((hour, hours.get(hour, Hour())) for hour in range(min(hours), max(hours) + 1))
    return tuple(
        ByHour(
            at_us=hour * HOUR_US,
            requests=brought.requests * scale,
            cases_now=(brought.held_now + brought.audits_now) * scale,
            cases_then=(brought.held_then + brought.audits_then) * scale,
        )
        for hour, brought in every
    )


def _side(tally: Tally, frame: Frame, scale: float, *, then: bool) -> SideShown:
    paths: dict[str, float] = {}
    for move, count in tally.moves.items():
        path = move[2 if then else 0]
        paths[path] = paths.get(path, 0.0) + count * scale
    brought = tally.hours.values()
    hours = [hour.cases_then if then else hour.cases_now for hour in _hours(tally.hours, scale)]
    people = frame.people
    return SideShown(
        paths=dict(sorted(paths.items())),
        held_items=scale * sum(hour.held_then if then else hour.held_now for hour in brought),
        audits=scale * sum(hour.audits_then if then else hour.audits_now for hour in brought),
        load=load_of(hours, people.reviewers, people.pace, people.verdicts_each),
        expected=expected_of(tally.populations, tally.known, scale, then=then),
    )
