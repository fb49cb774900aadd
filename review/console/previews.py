"""What an act on a model would change, in plain words, before it is confirmed. Pure."""

from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from flags.names import Kind
from review.flag_switches import Switch
from review.operations.now import ModelNow
from review.timeline.told import HALTS


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What will change, and the button that does it."""

    title: str
    changes: tuple[str, ...]
    button: str
    grave: bool = False
    may_hold_all: bool = False
    """Whether afterwards every request may wait for a person."""
    on: bool | None = None
    """What a flag is switched to."""
    number: int | None = None
    """The release that is tried."""


def halt(now: ModelNow) -> Preview | None:
    """Stop the model's answers, if they are not stopped."""
    if now.served.halt is not None:
        return None
    changes = ("A halt outranks every flag until it is lifted; no flag is touched.",)
    name = now.served.name
    return Preview(title=f"Halt {name}", changes=changes, button=f"Halt {name}", grave=True, may_hold_all=True)


def resume(now: ModelNow) -> Preview | None:
    """Lift a halt that is in force."""
    if now.served.halt is None:
        return None
    automated = now.served.automated
    changes = (
        f"Until now: {HALTS[now.served.halt.mode]}.",
        f"From then on flags and policy count again: {automated.means}, for {automated.reach}."
        if automated.on
        else f"From then on flags and policy count again: {automated.means}.",
    )
    return Preview(title=f"Resume {now.served.name}", changes=changes, button="Lift the halt")


def trial(now: ModelNow) -> Preview | None:
    """Put the newest release on trial, if none is."""
    if now.next is None or now.served.candidate is not None:
        return None
    shadow = now.served.flags[1]
    changes = (
        f"{now.next.release} may run beside {now.served.release}; people see where the two differ.",
        f"{shadow.flag} is {'on' if shadow.on else 'off'}: {shadow.means}.",
        "Its canary stays closed: it answers nobody.",
    )
    title = f"Try {now.next.release}"
    return Preview(title=title, changes=changes, button=title, number=now.next.number)


def canary(now: ModelNow) -> Preview | None:
    """Let the candidate answer, if it is on trial and does not yet."""
    if now.served.candidate is None or now.served.canary_open:
        return None
    flag = now.served.flags[2]
    reach = f"which is on for {flag.reach}" if flag.on else "which is off, so nobody for now"
    changes = (
        f"{now.served.candidate} answers callers where {flag.flag} is on, {reach}.",
        f"{now.served.release} answers everybody else.",
        "It is closed again by switching that flag off, or by ending the trial.",
    )
    return Preview(title=f"Open the canary of {now.served.candidate}", changes=changes, button="Open the canary")


def end_trial(now: ModelNow) -> Preview | None:
    """End the trial that is open."""
    if now.served.candidate is None:
        return None
    changes = (
        f"Only {now.served.release} answers and runs; what was found of {now.served.candidate} is kept.",
        "Differences that nobody has judged are closed.",
    )
    return Preview(title=f"End the trial of {now.served.candidate}", changes=changes, button="End the trial")


def switch(kind: Kind, now: ModelNow) -> Preview | None:
    """Switch a flag the other way."""
    flag: Switch = next(one for one in now.served.flags if one.kind == kind)
    other = kind.when_off if flag.on else kind.when_on
    to = "off" if flag.on else "on"
    changes = (
        f"Now it is on for {flag.reach}: {flag.means}." if flag.on else f"Now it is off: {flag.means}.",
        f"From then on: {other}. Whom a flag lets in stays as it is defined.",
    )
    holds_all = kind is Kind.AUTOMATED and flag.on
    title = f"Switch {flag.flag} {to}"
    return Preview(title=title, changes=changes, button=f"Switch {to}", may_hold_all=holds_all, on=not flag.on)


PREVIEWS: Mapping[str, Callable[[ModelNow], Preview | None]] = {
    "halt": halt,
    "resume": resume,
    "trial": trial,
    "canary": canary,
    "end-trial": end_trial,
    **{kind.value: partial(switch, kind) for kind in Kind},
}
"""By the act; None where it makes no sense now."""
