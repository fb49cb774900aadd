"""Stacks that were taken, as one tree: what called what, and in how many samples. Pure."""

from collections import Counter
from collections.abc import Mapping

import msgspec

RUNNER = "asyncio.runners:Runner.run"
LOOP = "uvloop:the loop itself, waking, reading and writing"
KEPT = 0.003
"""A frame in fewer of the samples is told as part of its caller."""


class Frame(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A function, in how many samples it was, and what it called."""

    name: str
    samples: int
    calls: list["Frame"] = []


def tree_of(stacks: Mapping[tuple[str, ...], int]) -> Frame:
    """What the event loop called; with nothing of ours above it, it was the loop's own work."""
    above: Counter[tuple[str, ...]] = Counter()
    for stack, count in stacks.items():
        above[stack[_depth(stack) :] or (LOOP,)] += count
    whole = above.total()
    return Frame(name="all", samples=whole, calls=_calls(above, KEPT * whole))


def _depth(stack: tuple[str, ...]) -> int:
    """Where the stack goes on above what runs the loop; what has a stack of its own has nothing below it."""
    return stack.index(RUNNER) + 1 if RUNNER in stack else 0


def _calls(stacks: Mapping[tuple[str, ...], int], least: float) -> list[Frame]:
    """What the frames on top of these stacks' roots are, each in at least so many samples, the most first."""
    by_root: dict[str, dict[tuple[str, ...], int]] = {}
    for stack, count in stacks.items():
        rest = by_root.setdefault(stack[0], {})
        rest[stack[1:]] = rest.get(stack[1:], 0) + count
    frames = [
        Frame(name=name, samples=sum(rest.values()), calls=_calls({k: count for k, count in rest.items() if k}, least))
        for name, rest in by_root.items()
        if sum(rest.values()) >= least
    ]
    return sorted(frames, key=lambda frame: -frame.samples)
