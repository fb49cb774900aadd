"""Pictures as SVG: readable light and dark, with a title and a description, and nothing told by colour alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from math import log10

_STYLE = """
text { fill: #1b2430; } .soft { fill: #44546a; } .axis { stroke: #c3ccd8; }
.goal { stroke: #44546a; stroke-dasharray: 4 3; } .line { fill: none; stroke-width: 2; }
.ours { stroke: #1769aa; fill: #1769aa; } .theirs { stroke: #b3541e; fill: #b3541e; }
.third { stroke: #5b7f2b; fill: #5b7f2b; } .line.ours, .line.theirs, .line.third { fill: none; }
.theirs.line { stroke-dasharray: 7 4; } .third.line { stroke-dasharray: 2 3; } .open { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #eef2f7; } .soft { fill: #b9c6d8; } .axis { stroke: #44546a; } .goal { stroke: #b9c6d8; }
  .ours { stroke: #6db3ea; fill: #6db3ea; } .theirs { stroke: #f0a06a; fill: #f0a06a; }
  .third { stroke: #a9cf73; fill: #a9cf73; } .line.ours, .line.theirs, .line.third { fill: none; }
  .open { fill: #1b2430; }
}
"""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Where values of a range lie between two places; beyond the range they lie at its ends."""

    first: float
    last: float
    at_first: float
    at_last: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value."""
        first, last, value = (self._scaled(each) for each in (self.first, self.last, value))
        share = (value - first) / ((last - first) or 1.0)
        return self.at_first + min(1.0, max(0.0, share)) * (self.at_last - self.at_first)

    def _scaled(self, value: float) -> float:
        return log10(max(value, 1e-9)) if self.log else value


def picture(title: str, description: str, width: int, height: int, parts: Iterable[str]) -> str:
    """The whole picture."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="t d" '
        f'font-family="system-ui, sans-serif" font-size="13">\n<title id="t">{escape(title)}</title>\n'
        f'<desc id="d">{escape(description)}</desc>\n<style>{_STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def text(x: float, y: float, words: str, *, kind: str = "", anchor: str = "start") -> str:
    """Words; `kind` is a class of the style."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def segment(x1: float, y1: float, x2: float, y2: float, kind: str = "axis") -> str:
    """A straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def polyline(points: Iterable[tuple[float, float]], kind: str) -> str:
    """A line through points."""
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{places}" class="line {kind}"/>'


def dot(x: float, y: float, kind: str, words: str = "", *, open_: bool = False) -> str:
    """A dot that says what it is to who points at it."""
    more = " open" if open_ else ""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="{kind}{more}"><title>{escape(words)}</title></circle>'


def square(x: float, y: float, kind: str, words: str = "") -> str:
    """The same as a square."""
    place = f'x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"'
    return f'<rect {place} class="{kind}"><title>{escape(words)}</title></rect>'
