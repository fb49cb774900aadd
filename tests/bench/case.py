"""A benchmark: what it measures, the figure it should reach, and which direction is better."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal, Self


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A figure with what it was made of."""

    value: float
    rounds: tuple[float, ...] = ()
    """The figure of each round."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What a plot or a table shows besides, as JSON has it."""

    @classmethod
    def middle(cls, rounds: Iterable[float], **more: Any) -> Self:
        """The median of the rounds."""
        kept = tuple(rounds)
        return cls(value=median(kept), rounds=kept, more=more)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One figure. A module of this folder lists its own in `CASES`; `goal` is None for a baseline without a goal."""

    name: str
    what: str
    better: Literal["higher", "lower"]
    goal: float | None
    measure: Callable[[], float | Measured]
    long: bool = False
    """It takes minutes, and runs only where it is named."""

    def met(self, value: float) -> bool:
        """Whether the value reaches the goal; a baseline always does."""
        if self.goal is None:
            return True
        return value >= self.goal if self.better == "higher" else value <= self.goal

    @property
    def goal_text(self) -> str:
        """The goal in words."""
        if self.goal is None:
            return "a baseline without a goal"
        return f"the goal of at {'least' if self.better == 'higher' else 'most'} {self.goal:g}"
