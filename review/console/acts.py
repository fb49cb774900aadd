"""What an operator may do to a model from the operations page, each under one key. Pure.

One table of keys fills `data-key` and `aria-keyshortcuts` of the links, and the help; an act that makes no sense now is
left out, so that its key does nothing.
"""

import msgspec

from review.console.keys import Key
from review.flag_switches import Switch
from review.operations.now import ModelNow

MOVING: tuple[Key, ...] = (
    Key(key="j", title="Next model", help="Also the arrow down."),
    Key(key="k", title="Previous model", help="Also the arrow up."),
)
ACTS: dict[str, Key] = {
    "promote": Key(key="p", title="Promote", help="Make the candidate, or the newest release that waits, serve."),
    "rollback": Key(key="r", title="Roll back", help="Go back to the latest release that was good."),
    "halt": Key(key="h", title="Halt", help="Stop the model's answers; on a halted model, lift the halt."),
    "trial": Key(key="t", title="Trial", help="Put the newest release on trial; during a trial, end it."),
    "canary": Key(key="c", title="Open canary", help="Let the candidate answer where its flag is on."),
    "automated": Key(key="1", title="automated", help="Switch whether answers go out without a person."),
    "shadow": Key(key="2", title="shadow", help="Switch whether the candidate runs beside the champion."),
    "candidate": Key(key="3", title="candidate", help="Switch whether the candidate answers while its canary is open."),
    "open": Key(key="o", title="Open", help="Go to the model's own page."),
}
HELP = Key(key="?", title="Help", help="Show these keys.")


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be done to a model now."""

    key: Key
    title: str
    address: str
    """The page that says what will change, and asks for the one confirmation."""
    grave: bool = False


def page_keys() -> tuple[Key, ...]:
    """Every key of the operations page, in the order of its help."""
    return (*MOVING, *ACTS.values(), HELP)


def acts_of(now: ModelNow) -> tuple[Act, ...]:
    """What can be done to a model as it stands now."""
    name, served = now.served.name, now.served
    halt = ("resume", "Resume…") if served.halt is not None else ("halt", "Halt…")
    trial = ("end-trial", "End trial…") if served.candidate else ("trial", "Try…")
    possible = (
        now.next is not None and _act("promote", f"Promote {now.next.release}…", _promotion(now)),
        now.back and _act("rollback", "Roll back…", f"/console/models/{name}/rollback?back=operations", grave=True),
        _act("halt", halt[1], _address(name, halt[0]), grave=served.halt is None),
        now.next is not None and _act("trial", trial[1], _address(name, trial[0])),
        served.candidate is not None
        and not served.canary_open
        and _act("canary", "Open canary…", _address(name, "canary")),
        *(_act(flag.kind, _switching(flag), _address(name, flag.kind)) for flag in served.flags),
    )  # fmt: skip
    return tuple(act for act in possible if isinstance(act, Act))


def _act(name: str, title: str, address: str, *, grave: bool = False) -> Act:
    return Act(key=ACTS[name], title=title, address=address, grave=grave)


def _switching(flag: Switch) -> str:
    """How a flag stands; its act is the other way."""
    if not flag.on:
        return f"○ {flag.kind} is off…"
    reach = "" if flag.reach == "everybody" else f" for {flag.reach}"
    return f"● {flag.kind} is on{reach}…"


def _address(model: str, act: str) -> str:
    return f"/console/operations/{model}/{act}"


def _promotion(now: ModelNow) -> str:
    assert now.next is not None
    return f"/console/models/{now.served.name}/releases/{now.next.number}?back=operations"
