"""What a stream of cases means to the people there are, and how an operator is told it. Pure.

Work an hour is cases an hour times verdicts a case times the mean active seconds of a verdict. Where it is more than
there are reviewers, each at it all the time, the queue grows by what they cannot do, until the policy's room is full
and its overflow answers.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

HOUR_S = 3_600.0
OVERFLOWS = {"refuse": "callers are refused", "safe_value": "the safe value answers", "automated": "the model answers"}


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """What came in an hour, on average over the last `window_s` seconds."""

    window_s: float
    requests: float = 0.0
    automated: float = 0.0
    """Requests that no person was needed for."""
    items: float = 0.0
    held: float = 0.0
    """Items that waited for a person."""


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """The people who judge a model's cases, how long they take, and how much may wait for them."""

    waiting: int
    """Holds that are undecided now."""
    reviewers: int
    judging_s: float | None
    """The mean active seconds of a verdict on this model's cases; None while there was none."""
    judged: int
    """Of how many verdicts that is the mean."""
    verdicts: int
    """How many verdicts a case needs at least, by its queue's rules."""
    room: int
    overflow: Literal["refuse", "safe_value", "automated"]


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What so many cases an hour mean."""

    cases: float
    work: float | None
    """Hours of work an hour; None where nobody knows how long a verdict takes."""
    enough: bool | None
    """Whether the reviewers there are could keep up."""
    full_in_s: float | None
    """When the room would be full; None where it would not, or nobody knows."""


def load_of(cases: float, desk: Desk) -> Load:
    """What so many cases an hour mean to a desk."""
    if desk.reviewers == 0:
        return Load(cases=cases, work=_work(cases, desk), enough=cases == 0, full_in_s=_full_in_s(cases, desk))
    work = _work(cases, desk)
    if work is None:
        return Load(cases=cases, work=None, enough=None, full_in_s=None)
    left = cases * max(0.0, 1 - desk.reviewers / work) if work else 0.0
    return Load(cases=cases, work=work, enough=work <= desk.reviewers, full_in_s=_full_in_s(left, desk))


def told(flow: Flow, desk: Desk, *, holds_all: bool) -> tuple[str, ...]:
    """What becomes of the queue when every request is held, or when none is any more, in plain words."""
    return tuple(_told(flow, desk) if holds_all else _told_of_none(flow, desk))


def _told(flow: Flow, desk: Desk) -> Iterator[str]:
    yield _waiting(desk)
    if not flow.requests:
        yield "Nobody has called this model within a day, so nothing can be said of how many holds to expect."
        return
    yield (
        f"{_number(flow.automated)} of {_number(flow.requests)} requests an hour are answered without a person now, "
        f"by the last {_hours(flow.window_s)}; they would come to people: {_number(flow.items)} cases an hour, "
        f"{_number(flow.held)} now."
    )
    load = load_of(flow.items, desk)
    yield _people(load, desk)
    if load.full_in_s is not None:
        yield (
            f"The queue would be full, at {desk.room:,} holds, after about {_duration(load.full_in_s)}; "
            f"then {OVERFLOWS[desk.overflow]}."
        )


def _told_of_none(flow: Flow, desk: Desk) -> Iterator[str]:
    yield _waiting(desk)
    yield f"No new holds come, {_number(flow.held)} an hour do now; {_number(flow.requests)} requests an hour are hit."


def _waiting(desk: Desk) -> str:
    if desk.waiting == 0:
        return "No hold waits now."
    if desk.waiting == 1:
        return "1 hold waits now, and goes on waiting."
    return f"{desk.waiting:,} holds wait now, and go on waiting."


def _people(load: Load, desk: Desk) -> str:
    if desk.reviewers == 0:
        return "Nobody may judge this model's cases, so none of them would be settled."
    there = "1 reviewer" if desk.reviewers == 1 else f"{desk.reviewers} reviewers"
    if load.work is None or desk.judging_s is None:
        return f"{there} may judge them; how long a case takes is not known yet, since none was judged."
    each = f" and {desk.verdicts} verdicts a case" if desk.verdicts > 1 else ""
    return (
        f"At {_number(desk.judging_s)} s a verdict{each} that is {_number(load.work)} hours of work in each hour: "
        f"{there}, always at it, would {'' if load.enough else 'not '}be enough."
    )


def _work(cases: float, desk: Desk) -> float | None:
    return None if desk.judging_s is None else cases * desk.verdicts * desk.judging_s / HOUR_S


def _full_in_s(growth: float, desk: Desk) -> float | None:
    """When the room is full that grows by so many an hour."""
    return HOUR_S * max(0, desk.room - desk.waiting) / growth if growth > 0 else None


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"


def _hours(seconds: float) -> str:
    hours = seconds / HOUR_S
    return "hour" if hours == 1 else f"{hours:g} hours"


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 90:
        return f"{max(1, round(minutes))} min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{minutes / 1440:.0f} days"
