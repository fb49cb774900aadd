"""The report of a run: one HTML page without script, with a table, plots over time and the numbers behind them."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from operator import attrgetter
from pathlib import Path

WIDTH, HEIGHT, LEFT, BOTTOM = 720, 180, 60, 24
ALL = "Aggregated"
TICKS = 4
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid #8886; }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: currentColor; }
svg .line { fill: none; stroke-width: 1.5; } svg .axis { stroke: #8886; }
"""
_COLOURS = ("#1769aa", "#b3541e", "#5b7f2b")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One kind of request over the whole run."""

    name: str
    requests: int
    failures: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, kw_only=True)
class Second:
    """All requests at one moment: a second since the start, requests a second, and times over the last ten seconds."""

    at_s: float
    requests_s: float
    failures_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, kw_only=True)
class Run:
    """What locust saw."""

    users: int
    seconds: int
    lines: tuple[Line, ...]
    history: tuple[Second, ...]
    failures: tuple[tuple[str, str, int], ...]
    """Kind of request, what was said, how often."""


def read_run(prefix: Path, *, users: int, seconds: int) -> Run:
    """The run whose files locust wrote under this prefix."""
    stats = [row for row in _rows(prefix, "stats") if row["Name"] != ALL]
    history = [row for row in _rows(prefix, "stats_history") if row["Name"] == ALL]
    began = float(history[0]["Timestamp"]) if history else 0.0
    return Run(
        users=users,
        seconds=seconds,
        lines=tuple(_line(row) for row in stats),
        history=tuple(_second(row, began) for row in history),
        failures=tuple((row["Name"], row["Error"], int(row["Occurrences"])) for row in _rows(prefix, "failures")),
    )


def write_report(run: Run, reasons: Sequence[str], file: Path) -> None:
    """Write the page."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page(run, reasons), encoding="utf-8")


def page(run: Run, reasons: Sequence[str]) -> str:
    """The page's text."""
    verdict = "".join(f"<li>{escape(reason)}</li>" for reason in reasons) or "<li>Every budget was kept.</li>"
    failed = [[escape(name), escape(error), str(count)] for name, error, count in run.failures]
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Load</title><style>{_STYLE}</style>"
        f"<h1>Load: {run.users} services for {run.seconds} seconds</h1><ul>{verdict}</ul>"
        + _table(
            ("request", "requests", "failures", "p50 ms", "p95 ms", "p99 ms"), [_cells(line) for line in run.lines]
        )
        + _plot(
            "Requests a second",
            run.history,
            {"requests": attrgetter("requests_s"), "failures": attrgetter("failures_s")},
        )
        + _plot(
            "Milliseconds, over the last ten seconds",
            run.history,
            {name: attrgetter(f"{name}_ms") for name in ("p50", "p95", "p99")},
        )
        + (f"<h2>What failed</h2>{_table(('request', 'said', 'times'), failed)}" if failed else "")
        + "</html>\n"
    )


def _cells(line: Line) -> list[str]:
    numbers = (line.requests, line.failures, line.p50_ms, line.p95_ms, line.p99_ms)
    return [escape(line.name), *(f"{number:g}" for number in numbers)]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{text}</th>" for text in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _plot(title: str, history: Sequence[Second], figures: dict[str, Callable[[Second], float]]) -> str:
    """Figures over time as lines, with the same numbers in a table behind them."""
    top = max([figure(second) for figure in figures.values() for second in history], default=0.0) or 1.0
    end = max([second.at_s for second in history], default=0.0) or 1.0
    lines = [
        f"<polyline class='line' stroke='{colour}' points='{_points(history, figure, end, top)}'/>"
        f"<text x='{LEFT + 8 + 90 * number}' y='14' style='fill:{colour}'>{name}</text>"
        for number, ((name, figure), colour) in enumerate(zip(figures.items(), _COLOURS, strict=False))
    ]
    rows = [[f"{second.at_s:g}", *(f"{figure(second):g}" for figure in figures.values())] for second in history]
    return (
        f"<h2>{title}</h2><svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='{title} over time'>"
        f"{_axes(end, top)}{''.join(lines)}</svg>"
        f"<details><summary>The numbers</summary>{_table(('second', *figures), rows)}</details>"
    )


def _points(history: Sequence[Second], figure: Callable[[Second], float], end: float, top: float) -> str:
    return " ".join(f"{_x(second.at_s, end):.1f},{_y(figure(second), top):.1f}" for second in history)


def _axes(end: float, top: float) -> str:
    marks = [
        f"<line class='axis' x1='{LEFT}' x2='{WIDTH}' y1='{_y(value, top):.1f}' y2='{_y(value, top):.1f}'/>"
        f"<text x='{LEFT - 6}' y='{_y(value, top) + 4:.1f}' text-anchor='end'>{value:.3g}</text>"
        for value in (top * step / TICKS for step in range(TICKS + 1))
    ]
    times = [
        f"<text x='{_x(value, end):.1f}' y='{HEIGHT - 6}' text-anchor='middle'>{value:.0f} s</text>"
        for value in (end * step / TICKS for step in range(TICKS + 1))
    ]
    return "".join(marks + times)


def _x(at_s: float, end: float) -> float:
    return LEFT + (WIDTH - LEFT - 20) * at_s / end


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 24) * value / top


def _rows(prefix: Path, what: str) -> list[dict[str, str]]:
    with Path(f"{prefix}_{what}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _line(row: dict[str, str]) -> Line:
    return Line(
        name=row["Name"],
        requests=int(row["Request Count"]),
        failures=int(row["Failure Count"]),
        p50_ms=_number(row["50%"]),
        p95_ms=_number(row["95%"]),
        p99_ms=_number(row["99%"]),
    )


def _second(row: dict[str, str], began: float) -> Second:
    return Second(
        at_s=float(row["Timestamp"]) - began,
        requests_s=_number(row["Requests/s"]),
        failures_s=_number(row["Failures/s"]),
        p50_ms=_number(row["50%"]),
        p95_ms=_number(row["95%"]),
        p99_ms=_number(row["99%"]),
    )


def _number(text: str) -> float:
    """A figure, 0 where locust has none yet."""
    return 0.0 if text in ("", "N/A") else float(text)
