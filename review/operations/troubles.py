"""What is wrong with a model now, the gravest first. Pure.

| what | is |
|---|---|
| halted | bad |
| a guard stepped in since this release serves | bad |
| cases past due | bad |
| callers wait | to be looked after |
| a promotion waits for a second person | to be looked after |
| a rollout is paused, or waits for an approval | to be looked after |
| nothing goes out without a person | to be looked after |
"""

from collections.abc import Callable
from typing import Literal

import msgspec

Level = Literal["bad", "look"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at."""

    halted: str | None
    """What a halt does, in words."""
    guarded: str | None
    """What a guard said of this release."""
    overdue: int
    callers: int
    to_confirm: str | None
    """The release whose promotion waits for a second person."""
    rollouts: tuple[str, ...] = ()
    """What rollouts want people for, in words."""
    automated: bool


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, or that somebody has to look after."""

    level: Level
    said: str


_RULES: tuple[tuple[Level, Callable[[Standing], str | None]], ...] = (
    ("bad", lambda now: f"Halted: {now.halted}." if now.halted is not None else None),
    ("bad", lambda now: now.guarded),
    ("bad", lambda now: f"{_count(now.overdue, 'case is', 'cases are')} past due." if now.overdue else None),
    (
        "look",
        lambda now: f"{_count(now.callers, 'caller waits', 'callers wait')} for a person." if now.callers else None,
    ),
    ("look", lambda now: f"A second person has to confirm {now.to_confirm}." if now.to_confirm is not None else None),
    ("look", lambda now: " ".join(now.rollouts) or None),
    ("look", lambda now: None if now.automated or now.halted is not None else "Nothing goes out without a person."),
)


def troubles_of(now: Standing) -> tuple[Trouble, ...]:
    """Everything that is wrong, the gravest first; empty when all is well."""
    found = [(level, rule(now)) for level, rule in _RULES]
    return tuple(Trouble(level=level, said=said) for level, said in found if said is not None)


def _count(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
