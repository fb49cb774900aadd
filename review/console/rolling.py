"""What may be done to a rollout, each under one key, and what it would change, before it is confirmed. Pure."""

from collections.abc import Callable, Mapping
from itertools import pairwise

import msgspec

from flags.names import parse
from review.console.keys import Key
from review.rollouts.errors import ScheduleRefused
from review.rollouts.schedule import Step, length, schedule_of
from review.rollouts.standing import RolloutShown

ACTS: dict[str, Key] = {
    "approve": Key(key="a", title="Approve", help="Say that what the step has shown is good enough."),
    "advance": Key(key="n", title="Next step", help="Take the next step now, whatever is missing."),
    "pause": Key(key="p", title="Pause", help="Let nothing happen by itself; the flag stays as it is."),
    "resume": Key(key="r", title="Resume", help="Go on from the present step, which begins anew."),
    "abort": Key(key="x", title="Abort", help="End it, and switch the flag off."),
}
WRITE = Key(key="w", title="Write", help="Write the steps of a rollout.")
HELP = Key(key="?", title="Help", help="Show these keys.")
USUAL = ("1% 1h", "10% 24h", "50% 24h, approval", "100%")
"""What stands in the field of a new rollout."""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be done to a rollout now."""

    name: str
    key: Key
    grave: bool = False


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What will change, and the button that does it."""

    title: str
    changes: tuple[str, ...]
    button: str
    grave: bool = False
    steps: str = ""
    """The steps of a rollout to be started, one a line."""


def page_keys() -> tuple[Key, ...]:
    """Every key of a rollout's page, in the order of its help."""
    return (*ACTS.values(), WRITE, HELP)


def acts_of(rollout: RolloutShown | None) -> tuple[Act, ...]:
    """What can be done to a rollout as it stands; nothing to one that is over."""
    if rollout is None or not rollout.live:
        return ()
    names = ["resume"] if rollout.state == "paused" else ["advance", "pause"]
    if rollout.awaits_approval:
        names.insert(0, "approve")
    return tuple(Act(name=name, key=ACTS[name], grave=name == "abort") for name in (*names, "abort"))


def preview_of(act: str, rollout: RolloutShown | None) -> Preview | None:
    """What an act on the rollout would change; None where it makes no sense now."""
    if rollout is None or act not in {one.name for one in acts_of(rollout)}:
        return None
    title = f"{ACTS[act].title}: the rollout of {rollout.flag}"
    return Preview(title=title, changes=_CHANGES[act](rollout), button=ACTS[act].title, grave=act == "abort")


def starting(flag: str, reach: str, written: str) -> Preview:
    """What starting a rollout would change. Raises: ScheduleRefused, NotAModelFlag."""
    steps = schedule_of(lines_of(written))
    _, kind = parse(flag)
    changes = (
        f"Now {flag} is on for {reach}; on means: {kind.when_on}.",
        f"At once: on for {steps[0].percent} % of whom its conditions let in, sticky.",
        *(f"Then {after.percent} %, after {_waits(step)}." for step, after in pairwise(steps)),
        _ends(steps[-1]),
        "It is paused by a hand on the flag, a halt, and whatever else comes to serve. Aborting switches the flag off.",
    )
    return Preview(
        title=f"Let {flag} on step by step",
        changes=changes,
        button="Take the first step",
        steps="\n".join(step.told for step in steps),
    )


def lines_of(written: str) -> tuple[str, ...]:
    """The steps that were written, one a line. Raises: ScheduleRefused (too long)."""
    if len(written) > _WRITTEN_MAX:
        raise ScheduleRefused(fault="This is too long for a schedule.")
    return tuple(line for line in map(str.strip, written.splitlines()) if line)


_WRITTEN_MAX = 4000


def _waits(step: Step) -> str:
    """What a step waits for, as people list it."""
    conditions = (
        length(step.pause_s) if step.pause_s else "",
        f"{step.requests:,} requests that it was on for" if step.requests else "",
        f"{step.verdicts:,} verdicts" if step.verdicts else "",
        "an approval" if step.approval else "",
    )
    *others, last = filter(None, conditions)
    return f"{', '.join(others)} and {last}" if others else last


def _ends(last: Step) -> str:
    return f"It ends at {last.percent} %" + (f", after {_waits(last)}." if last.waits else ".")


def _next(rollout: RolloutShown) -> str:
    following = rollout.steps[rollout.step :]
    if not following:
        return "The rollout has come to its end; the flag stays as it is."
    return f"The flag goes from {rollout.percent} % to {following[0].percent} %, at once."


def _resuming(rollout: RolloutShown) -> tuple[str, ...]:
    was = f"It was paused: {rollout.told}" if rollout.told else "It is paused."
    back = f"Now the flag is on for {rollout.reach}; it is put to {rollout.percent} %, and that step begins anew."
    return was, back


def _approving(rollout: RolloutShown) -> tuple[str, ...]:
    others = tuple(one for one in rollout.missing if one != "an approval")
    then = f"It still waits for {' and '.join(others)}." if others else _next(rollout)
    return f"You say that what {rollout.percent} % has shown is good enough.", then


_CHANGES: Mapping[str, Callable[[RolloutShown], tuple[str, ...]]] = {
    "approve": _approving,
    "advance": lambda rollout: (
        f"It does not wait any longer for {' and '.join(rollout.missing) or 'anything'}.", _next(rollout),
    ),
    "pause": lambda rollout: (f"The flag stays on for {rollout.reach}, until somebody resumes or aborts it.",),
    "resume": _resuming,
    "abort": lambda rollout: (
        f"{rollout.flag} is on for {rollout.reach} now, and is switched off at once.",
        f"Off means: {parse(rollout.flag)[1].when_off}. Whom it lets in stays as it is defined.",
    ),
}  # fmt: skip
