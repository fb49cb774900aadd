"""A benchmark: what it measures, the figure it should reach, and which direction is better."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Case:
    """One figure. A module of this folder lists its own in `CASES`; `goal` is None for a baseline without a goal."""

    name: str
    what: str
    better: Literal["higher", "lower"]
    goal: float | None
    measure: Callable[[], float]

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
