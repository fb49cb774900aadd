"""Numbers and goals as the page writes them. Pure."""

from tests.bench.page.record import Taken


def figure(value: float | None) -> str:
    """Three digits, or all of a large whole."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def goal(taken: Taken) -> str:
    """The goal with its direction."""
    if taken.goal is None:
        return ""
    return f"{'≥' if taken.better == 'higher' else '≤'} {taken.goal:g}"


def spread(values: list[float]) -> str:
    """The least and the most of the rounds."""
    return f"{figure(min(values))} – {figure(max(values))}" if len(values) > 1 else ""


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
