"""The flame graph: what called what, as wide as the time that was spent in it. Pure."""

from collections.abc import Iterator
from html import escape
from typing import Any

import msgspec

from tests.bench.page.svg import picture, text
from tests.bench.stacks import Frame

WIDTH, ROW, TOP = 1000, 18, 44
LETTER = 6.4
"""How wide a letter is."""
_STYLE = """
<style>
.f rect { stroke: #ffffff; } .f text { font-size: 11px; fill: #1b2430; pointer-events: none; }
.lockgate rect { fill: #9ec7ea; } .server rect { fill: #f3c39b; } .model rect { fill: #c4dd9f; }
.other rect { fill: #d5dbe3; }
</style>
"""
KINDS = (
    ("lockgate", ("gateway", "lockgate", "flags"), "Lockgate"),
    ("server", ("uvicorn", "httptools", "uvloop", "asyncio"), "HTTP server and event loop"),
    ("model", ("onnxruntime", "numpy"), "onnxruntime and numpy"),
    ("other", (), "other"),
)


def flame(found: dict[str, Any]) -> str:
    """The picture of a tree of stacks."""
    root = msgspec.convert(found, Frame)
    depth = _depth(root)
    height = TOP + depth * ROW + 10
    parts = [_STYLE, *_legend(root.samples), *_boxes(root, 0.0, float(WIDTH), height - 10 - ROW, root.samples)]
    description = "Each box is a function, as wide as its part of the processor's time; what it called lies above it."
    return picture("Where the time of a request goes, 64 connections", description, WIDTH, height, parts)


def _legend(samples: int) -> Iterator[str]:
    x = 4.0
    for kind, _, words in KINDS:
        yield f'<g class="f {kind}"><rect x="{x}" y="6" width="14" height="14"/></g>'
        yield text(x + 18, 18, words)
        x += 40 + LETTER * 1.1 * len(words)
    yield text(WIDTH - 4, 18, f"{samples} samples", kind="soft", anchor="end")


def _boxes(frame: Frame, x: float, width: float, y: float, whole: int) -> Iterator[str]:
    """The box of a frame, and those of what it called."""
    module, _, name = frame.name.partition(":")
    words = f"{frame.name} – {100 * frame.samples / whole:.1f} %"
    fits = int((width - 6) / LETTER)
    shown = (name or module)[:fits] if fits > 2 else ""
    yield (
        f'<g class="f {_kind(module)}"><title>{escape(words)}</title>'
        f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}"/>'
        f'<text x="{x + 3:.1f}" y="{y + 13}">{escape(shown)}</text></g>'
    )
    for called in frame.calls:
        wide = width * called.samples / frame.samples
        yield from _boxes(called, x, wide, y - ROW, whole)
        x += wide


def _kind(module: str) -> str:
    package = module.partition(".")[0]
    return next((kind for kind, packages, _ in KINDS if package in packages), "other")


def _depth(frame: Frame) -> int:
    return 1 + max((_depth(called) for called in frame.calls), default=0)
