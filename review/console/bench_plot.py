"""Where the lines of a bench's plot lie. Pure: the template draws what stands here."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil, floor, log2, log10

import msgspec

from gateway.inference.benched import Benched
from gateway.inference.pace import Pace
from review.console.plots import nice

LEFT, WIDTH, HEIGHT = 70.0, 630.0, 200.0
MARGIN = 14.0
"""Between the axis and the first point."""
BESIDE = 4.0
"""Between the points of two numbers of threads, so that neither covers the other's spread."""
Figures = Callable[[Pace], tuple[float, float, float]]
"""A figure of a pace, with how far it went down and up."""
Height = Callable[[float], float]
"""How far from the top a value lies, as part of the whole axis."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A figure, with how far it went down and up."""

    x: float
    y: float
    low: float
    high: float


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One number of threads."""

    number: int
    """From 0; the template has a colour and a dash for each."""
    title: str
    path: str
    marks: tuple[Mark, ...]


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """A place on an axis, with its number."""

    at: float
    text: str


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One figure over the rows of a run."""

    title: str
    ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    chosen: Mark
    bound: float | None
    """Where the line of the bound lies; none where it is above all figures."""


class BenchPlot(msgspec.Struct, frozen=True, kw_only=True):
    """Rows a second, and below it the time of a run."""

    rows: tuple[Tick, ...]
    panels: tuple[Panel, ...]


def bench_plot(benched: Benched) -> BenchPlot:
    """The plot of a bench."""
    paces = benched.measured.paces
    most = max(pace.rows for pace in paces)
    bound = benched.run_max_ms
    rows = [1 << step for step in range(most.bit_length())]
    return BenchPlot(
        rows=tuple(Tick(at=_across(each, most), text=f"{each}") for each in rows),
        panels=(
            _panel("Rows a second: the median round, from the slowest to the fastest", benched, _rates, _evenly),
            _panel("Milliseconds of a run: the median, up to the 99th of 100", benched, _times, _by_tens, bound),
        ),
    )


def _rates(pace: Pace) -> tuple[float, float, float]:
    return pace.rows_s, pace.rows_s_low, pace.rows_s_high


def _times(pace: Pace) -> tuple[float, float, float]:
    return pace.p50_ms, pace.p50_ms, pace.p50_ms if pace.p99_ms is None else pace.p99_ms


def _evenly(values: Sequence[float]) -> tuple[Height, list[float]]:
    """An axis from 0 on, with its ticks."""
    top = nice(max(values))
    return lambda value: 1 - value / top, [top * part for part in (0, 0.25, 0.5, 0.75, 1)]


def _by_tens(values: Sequence[float]) -> tuple[Height, list[float]]:
    """An axis on which each tenfold is as far as the next, with its ticks."""
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    high = max(high, low + 1)
    return lambda value: (high - log10(value)) / (high - low), [10.0**power for power in range(low, high + 1)]


def _panel(
    title: str,
    benched: Benched,
    figures: Figures,
    axis: Callable[[Sequence[float]], tuple[Height, list[float]]],
    bound: float | None = None,
) -> Panel:
    paces, most = benched.measured.paces, max(pace.rows for pace in benched.measured.paces)
    threads = sorted({pace.threads for pace in paces})
    height, ticks = axis([value for pace in paces for value in figures(pace)])

    def mark(pace: Pace) -> Mark:
        value, low, high = (HEIGHT * height(figure) for figure in figures(pace))
        aside = BESIDE * (threads.index(pace.threads) - (len(threads) - 1) / 2)
        return Mark(x=_across(pace.rows, most) + aside, y=value, low=low, high=high)

    return Panel(
        title=title,
        ticks=tuple(Tick(at=HEIGHT * height(value), text=_tick(value)) for value in ticks),
        lines=tuple(_lines(paces, mark)),
        chosen=mark(benched.choice.pace),
        bound=HEIGHT * height(bound) if bound is not None and bound <= ticks[-1] else None,
    )


def _tick(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"


def _lines(paces: Sequence[Pace], mark: Callable[[Pace], Mark]) -> Iterator[Line]:
    for place, threads in enumerate(sorted({pace.threads for pace in paces})):
        marks = tuple(mark(pace) for pace in paces if pace.threads == threads)
        path = "M" + "L".join(f"{each.x:.1f} {each.y:.1f}" for each in marks)
        yield Line(number=place, title="1 thread" if threads == 1 else f"{threads} threads", path=path, marks=marks)


def _across(rows: int, most: int) -> float:
    """How far right these rows lie: each doubling is as far as the next."""
    return LEFT + MARGIN + (WIDTH - 2 * MARGIN) * (log2(rows) / log2(most) if most > 1 else 0.5)
