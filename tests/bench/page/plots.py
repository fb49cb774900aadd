"""The plots of the page, each made of the run alone. Pure."""

from collections.abc import Iterator
from typing import Any

from tests.bench.page.record import Run, Taken
from tests.bench.page.svg import Axis, dot, picture, polyline, segment, square, text
from tests.bench.page.words import figure, goal

WIDTH = 760
ROW = 24
LEFT, RIGHT = 190, 30
REACH = 4.0
"""How many times better or worse than the goal a round may be to be told from others."""


def ratios(run: Run) -> str:
    """How far each case is from its goal, round by round."""
    shown = {name: each for name, each in run.cases.items() if each.goal and each.value is not None}
    height = 60 + ROW * len(shown)
    x = Axis(first=1 / REACH, last=REACH, at_first=LEFT + 40, at_last=WIDTH - 130, log=True)
    parts = list(_against_goal(x, height))
    for row, (name, each) in enumerate(shown.items()):
        parts += _row(x, 44 + ROW * row, name, each)
    description = "One row a case: a dot for each round, a square for the median; right of the line the goal is met."
    return picture("Each case against its goal", description, WIDTH, height, parts)


def _against_goal(x: Axis, height: int) -> Iterator[str]:
    for times in (0.25, 0.5, 1.0, 2.0, 4.0):
        yield segment(x(times), 26, x(times), height - 24, "goal" if times == 1 else "axis")
        words = "the goal" if times == 1 else f"{times:g} ×"
        yield text(x(times), height - 8, words, kind="soft", anchor="middle")
    yield text(x(1 / REACH), 18, "worse", kind="soft")
    yield text(x(REACH), 18, "better", kind="soft", anchor="end")


def _row(x: Axis, y: float, name: str, each: Taken) -> Iterator[str]:
    yield text(LEFT + 20, y + 4, name, anchor="end")
    yield segment(x.at_first, y, x.at_last, y)
    for value in each.rounds:
        yield dot(x(_times(each, value)), y, "theirs", figure(value))
    yield square(x(_times(each, each.value or 0.0)), y, "ours", figure(each.value))
    yield text(WIDTH - 4, y + 4, f"{figure(each.value)} ({goal(each)})", anchor="end")


def _times(each: Taken, value: float) -> float:
    """How many times better than the goal."""
    reached = each.goal or 1.0
    return value / reached if each.better == "higher" else reached / max(value, 1e-9)


def latency(more: dict[str, Any]) -> str:
    """How long answers took at one connection and at 64, ours and the prototype's."""
    parts: list[str] = []
    for number, load in enumerate(("c1", "c64")):
        parts += _distribution(number * WIDTH / 2, load, more["percent"], more[load])
    parts += _legend(["Lockgate, everything on", "the bare prototype"], 292)
    description = "The part of the answers, in percent, that came within so many milliseconds, on a scale of powers."
    return picture("How long answers take", description, WIDTH, 304, parts)


def _distribution(left: float, load: str, percent: list[float], found: dict[str, list[float]]) -> Iterator[str]:
    x = Axis(first=0, last=len(percent) - 1, at_first=left + 56, at_last=left + WIDTH / 2 - RIGHT)
    values = [value / 1000 for each in found.values() for value in each]
    y = Axis(first=min(values) / 1.2, last=max(values) * 1.2, at_first=236, at_last=34, log=True)
    yield text(left + 56, 20, f"{load.removeprefix('c')} connection{'s' if load != 'c1' else ''}, ms")
    for value in (min(values), (min(values) * max(values)) ** 0.5, max(values)):
        yield segment(x.at_first, y(value), x.at_last, y(value))
        yield text(x.at_first - 6, y(value) + 4, figure(value), kind="soft", anchor="end")
    for number, share in enumerate(percent):
        if number % 2 or share == percent[-1]:
            yield text(x(number), 256, f"{share:g} %", kind="soft", anchor="middle")
    yield from _marked([(x(at), y(each / 1000)) for at, each in enumerate(found["theirs"])], "theirs")
    yield from _marked([(x(at), y(each / 1000)) for at, each in enumerate(found["ours"])], "ours")


def goodput(more: dict[str, Any]) -> str:
    """What becomes of requests, the more of them there are."""
    loads = more["loads"]
    by_load = {each["offered"]: each for each in loads}
    most = max(*by_load, 1.0)
    x = Axis(first=0, last=most, at_first=60, at_last=WIDTH - RIGHT)
    y = Axis(first=0, last=max(1.2, *(each["refused"] for each in loads)), at_first=236, at_last=30)
    parts = [text(60, 18, "answers, in parts of the peak", kind="soft")]
    for value in (0.0, 0.5, 1.0, 1.5, 2.0):
        if value <= y.last:
            parts += [
                segment(60, y(value), WIDTH - RIGHT, y(value)),
                text(52, y(value) + 4, f"{value:g}", anchor="end"),
            ]
    parts += [text(x(load), 256, f"{load:g} ×", kind="soft", anchor="middle") for load in by_load]
    for name, kind in (("refused", "theirs"), ("late", "third"), ("good", "ours")):
        parts += _marked([(x(load), y(each[name])) for load, each in by_load.items()], kind)
    parts += _legend(["good, within a second", "refused at once", "late"], 292)
    description = "Offered load, in parts of the peak, against good, refused and late answers."
    return picture("More requests than can be answered", description, WIDTH, 304, parts)


def memory(more: dict[str, Any]) -> str:
    """What a worker keeps in memory under minutes of full load."""
    series = more["series"]
    end, top = series[-1][0], max(mib for _, mib in series) * 1.2
    x = Axis(first=0, last=end, at_first=60, at_last=WIDTH - RIGHT)
    y = Axis(first=0, last=top, at_first=216, at_last=30)
    parts = [text(60, 18, "MiB of one worker", kind="soft")]
    for value in (0.0, more["early"], more["late"]):
        parts += [segment(60, y(value), WIDTH - RIGHT, y(value))]
    parts += [text(52, y(0) + 4, "0", anchor="end"), text(52, y(more["late"]) + 4, figure(more["late"]), anchor="end")]
    for minute in range(int(end / 60) + 1):
        parts += [text(x(60 * minute), 236, f"{minute} min", kind="soft", anchor="middle")]
    parts += [polyline([(x(at), y(mib)) for at, mib in series], "ours")]
    return picture("Memory under full load", "MiB of a worker over the minutes.", WIDTH, 250, parts)


def _marked(points: list[tuple[float, float]], kind: str) -> Iterator[str]:
    """A line with its marks, whose shape tells it from the others."""
    yield polyline(points, kind)
    for x, y in points:
        if kind == "ours":
            yield square(x, y, kind)
        else:
            yield dot(x, y, kind, open_=kind == "third")


def _legend(names: list[str], y: float) -> Iterator[str]:
    for number, (name, kind) in enumerate(zip(names, ("ours", "theirs", "third"), strict=False)):
        x = 60 + 230 * number
        yield from _marked([(x, y - 4), (x + 28, y - 4)], kind)
        yield text(x + 38, y, name)
