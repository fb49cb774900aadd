"""Where the lines and bars of a simulation's plots lie. Pure: the template draws what stands here."""

from collections.abc import Sequence

import msgspec

from review.simulation.report import ByHour, Report, SideShown

LEFT, TOP, WIDTH, HEIGHT = 50.0, 10.0, 460.0, 180.0
NICE = (1.0, 2.0, 5.0, 10.0)


class HoursPlot(msgspec.Struct, frozen=True, kw_only=True):
    """Cases an hour over the window, as SVG paths, with the largest value of the axis."""

    top: float
    now: str
    then: str
    other: str = ""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its interval, placed on a common axis from 0 to 100."""

    title: str
    side: str
    value: float
    low: float
    high: float
    text: str


def hours_plot(report: Report, other: Report | None = None) -> HoursPlot | None:
    """The cases of each hour on both sides, and those of another proposal over the same hours; none without two."""
    hours = report.hours
    if len(hours) < 2:
        return None
    beside = _aligned(hours, other.hours) if other is not None else []
    lines = ([one.cases_now for one in hours], [one.cases_then for one in hours], beside)
    top = nice(max(value for line in lines for value in line))
    now, then, further = (_path(line, top) for line in lines)
    return HoursPlot(top=top, now=now, then=then, other=further)


def error_bars(report: Report) -> list[Bar]:
    """Errors let through and caught on both sides, on one axis; what is not known has no bar."""
    rows = [
        ("let through", "now", report.now.expected.through), ("let through", "then", report.then.expected.through),
        ("caught", "now", report.now.expected.caught), ("caught", "then", report.then.expected.caught),
    ]  # fmt: skip
    known = [(title, side, found.errors) for title, side, found in rows if found.errors is not None]
    top = nice(max((errors.high for _, _, errors in known), default=1.0))
    return [
        Bar(
            title=title, side=side, value=100 * errors.value / top, low=100 * errors.low / top,
            high=100 * errors.high / top, text=f"{errors.value:,.1f} ({errors.low:,.1f} to {errors.high:,.1f})",
        )
        for title, side, errors in known
    ]  # fmt: skip


def path_parts(side: SideShown) -> list[tuple[str, float, float]]:
    """For each path where its part of a bar of 100 begins, and how long it is."""
    whole, at, parts = sum(side.paths.values()) or 1.0, 0.0, []
    for path in ("automated", "shadow", "review"):
        length = 100 * side.paths.get(path, 0.0) / whole
        parts.append((path, at, length))
        at += length
    return parts


def _aligned(hours: Sequence[ByHour], others: Sequence[ByHour]) -> list[float]:
    """The other proposal's cases in these hours; none where the windows share none."""
    by_hour = {one.at_us: one.cases_then for one in others}
    found = [by_hour.get(one.at_us, 0.0) for one in hours]
    return found if by_hour.keys() & {one.at_us for one in hours} else []


def _path(values: Sequence[float], top: float) -> str:
    step = WIDTH / max(1, len(values) - 1)
    points = (f"{LEFT + place * step:.1f} {TOP + HEIGHT * (1 - value / top):.1f}" for place, value in enumerate(values))
    return "M" + "L".join(points) if values else ""


def nice(value: float) -> float:
    """A round number that is not below the value."""
    power = 1.0
    while power * 10 < value:
        power *= 10
    while power > value > 0:
        power /= 10
    return next((power * step for step in NICE if power * step >= value), power * 10) or 1.0
