"""What comes next in a rollout that runs. Pure.

| the first that holds | next |
|---|---|
| the flag is not as the last step left it | pause: somebody changed it by hand, and is not fought |
| the model is halted | pause |
| something else serves than when the step was taken | pause: what was learned is about another release |
| the flag is about a trial, and none is open | pause |
| the pause of the step is not over, or requests, verdicts or the approval are missing | wait |
| the step was the last one | finish |
| otherwise | take the next step |
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from review.rollouts.schedule import Step, left, length

LOOK_S = 2.0
LOOK_SHARE = 0.01
"""What has come is counted again when this share of the time since the step has passed since the last count."""
_NEEDS_TRIAL = frozenset({"shadow", "candidate"})


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """What has come since the last step."""

    elapsed_s: float
    requests: int = 0
    verdicts: int = 0
    approved: bool = False


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What else counts: the flag, and the model as it stands."""

    kind: str
    """Of the flag: `automated`, `shadow` or `candidate`."""
    as_left: bool
    """Whether the flag is still as the last step left it."""
    reach: str
    """For whom the flag is on now, in words."""
    halted: bool = False
    moved: Literal["promoted", "rolled_back"] | None = None
    """How the model came to be served by another release since the step."""
    trial: bool = True
    """Whether a trial is open."""


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Something is missing yet, in words."""

    missing: tuple[str, ...]


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """People must look at it."""

    why: str


class Finish(msgspec.Struct, frozen=True, kw_only=True):
    """The last step is over."""


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """Take the step of this index."""

    step: int


Next = Wait | Pause | Finish | Take


def next_of(steps: tuple[Step, ...], step: int, came: Came, around: Around) -> Next:
    """What comes next, by the table above."""
    if (obstacle := obstacle_of(around)) is not None:
        return Pause(why=obstacle)
    if missing := tuple(missing_of(steps[step], came)):
        return Wait(missing=missing)
    return after(steps, step)


def after(steps: tuple[Step, ...], step: int) -> Finish | Take:
    """What comes when a step is over."""
    return Take(step=step + 1) if step + 1 < len(steps) else Finish()


def obstacle_of(around: Around) -> str | None:
    """Why the rollout must not go on by itself; None where it may."""
    if not around.as_left:
        return f"Somebody changed the flag: it is on for {around.reach} now, not as the last step left it."
    return standing_obstacle(around)


def standing_obstacle(around: Around) -> str | None:
    """What of the model itself stands in the way."""
    if around.halted:
        return "The model is halted."
    if around.moved == "rolled_back":
        return "The model was rolled back: what this step has shown is about another release."
    if around.moved == "promoted":
        return "Another release was promoted: what this step has shown is about the one before."
    if around.kind in _NEEDS_TRIAL and not around.trial:
        return "The trial is over, so the flag has nothing to let on."
    return None


def missing_of(step: Step, came: Came) -> Iterator[str]:
    """What a step still waits for."""
    left_s = step.pause_s - came.elapsed_s
    if left_s > 0:
        yield f"{left(left_s)} of its pause of {length(step.pause_s)}"
    if came.requests < step.requests:
        yield f"{step.requests - came.requests:,} of {step.requests:,} requests"
    if came.verdicts < step.verdicts:
        yield f"{step.verdicts - came.verdicts:,} of {step.verdicts:,} verdicts"
    if step.approval and not came.approved:
        yield "an approval"


def must_count(step: Step, came: Came, looked_s: float | None) -> bool:
    """Whether to count what has come: only what the step asks for and lacks, once its pause is over, and not too often.

    `looked_s` is how long after the step it was counted last. A count reads everything since the step.
    """
    lacks = came.requests < step.requests or came.verdicts < step.verdicts
    if not lacks or came.elapsed_s < step.pause_s:
        return False
    return looked_s is None or came.elapsed_s - looked_s >= max(LOOK_S, LOOK_SHARE * came.elapsed_s)
