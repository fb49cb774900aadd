"""The schedule of a rollout: its steps, and how they are written and told. Pure."""

import re
from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import Final

import msgspec

from review.rollouts.errors import ScheduleRefused

STEPS_MAX: Final = 12
PAUSE_MAX_S: Final = 90 * 86_400.0
COUNT_MAX: Final = 999_999_999
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_STEP: Final = re.compile(r"\s*(\d{1,3})\s*%?\s*[:,]?\s*(.*)", re.ASCII | re.DOTALL)
_PAUSE: Final = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([smhd])", re.ASCII)
_COUNT: Final = re.compile(r"(\d{1,9})\s*(request|verdict)s?", re.ASCII)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A share of the traffic, and everything that must have come before the next step is taken."""

    percent: int
    pause_s: float = 0.0
    requests: int = 0
    """So many requests that the flag was on for."""
    verdicts: int = 0
    """So many verdicts of people on predictions made since."""
    approval: bool = False

    @property
    def waits(self) -> bool:
        """Whether there is anything to wait for."""
        return bool(self.pause_s or self.requests or self.verdicts or self.approval)

    @property
    def told(self) -> str:
        """The step as it is written."""
        conditions = (
            length(self.pause_s) if self.pause_s else "",
            f"{self.requests} requests" if self.requests else "",
            f"{self.verdicts} verdicts" if self.verdicts else "",
            "approval" if self.approval else "",
        )
        return f"{self.percent}% {', '.join(filter(None, conditions))}".strip()


def schedule_of(written: Sequence[str]) -> tuple[Step, ...]:
    """The steps in the order that they are taken. Raises: ScheduleRefused."""
    steps = tuple(_step(text, place) for place, text in enumerate(written, start=1))
    if not 0 < len(steps) <= STEPS_MAX:
        raise ScheduleRefused(fault=f"A schedule has 1 to {STEPS_MAX} steps, not {len(steps)}.")
    for place, (step, after) in enumerate(pairwise(steps), start=1):
        if after.percent <= step.percent:
            fault = f"Step {place + 1} is {after.percent} %, and must be more than step {place}, {step.percent} %."
            raise ScheduleRefused(fault=fault)
        if not step.waits:
            raise ScheduleRefused(
                fault=f"Step {place} has nothing to wait for, so step {place + 1} would come at once."
            )
    return steps


def length(seconds: float) -> str:
    """A length of time as it is written in a step, such as `90m` or `1d`."""
    for unit, size in reversed(_UNITS.items()):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"


def left(seconds: float) -> str:
    """What is left of a time, rounded up to the unit in which it is two at least, so that it does not tick."""
    for unit, size in reversed(_UNITS.items()):
        if seconds >= 2 * size:
            return f"{ceil(seconds / size)}{unit}"
    return f"{max(1, ceil(seconds))}s"


def _step(text: str, place: int) -> Step:
    found = _STEP.fullmatch(text[:200])
    percent = int(found[1]) if found else 0
    if found is None or not 1 <= percent <= 100:
        raise ScheduleRefused(fault=f"Step {place} begins with a whole percentage from 1 to 100.")
    given: dict[str, float | bool] = {}
    for condition in filter(None, (part.strip() for part in found[2].split(","))):
        name, value = _condition(condition, place)
        if name in given:
            raise ScheduleRefused(fault=f"Step {place} says twice how long it waits: '{condition}'.")
        given[name] = value
    return msgspec.convert({"percent": percent} | given, Step)


def _condition(text: str, place: int) -> tuple[str, float | bool]:
    if text == "approval":
        return "approval", True
    if (pause := _PAUSE.fullmatch(text)) and 0 < (seconds := float(pause[1]) * _UNITS[pause[2]]) <= PAUSE_MAX_S:
        return "pause_s", seconds
    if (count := _COUNT.fullmatch(text)) and 0 < int(count[1]) <= COUNT_MAX:
        return f"{count[2]}s", int(count[1])
    raise ScheduleRefused(fault=f"Step {place} cannot wait for '{text}'.")
