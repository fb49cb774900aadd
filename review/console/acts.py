"""What an operator may do to a model from the operations page, or from a release's, each under one key. Pure.

One table of keys fills `data-key` and `aria-keyshortcuts` of the links, and the help; an act that makes no sense now is
left out, so that its key does nothing.
"""

import msgspec

from flags.names import Kind, compose
from review.console.keys import Key
from review.flag_switches import Switch
from review.operations.now import ModelNow
from review.release.looking import ReleaseLine
from review.served import Served

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
    "rollout": Key(key="g", title="Rollout", help="Let a flag on step by step, or see how far it has come."),
    "open": Key(key="o", title="Open", help="Go to the model's own page."),
}
OF_A_RELEASE = {
    "promote": Key(key="p", title="Promote", help="Make the release serve."),
    "rollback": ACTS["rollback"],
    "trial": Key(key="t", title="Trial", help="Put the release on trial; during its trial, end it."),
    "canary": ACTS["canary"],
    "open": ACTS["open"],
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


def release_keys() -> tuple[Key, ...]:
    """Every key of a release's page, in the order of its help."""
    return (*OF_A_RELEASE.values(), HELP)


def acts_of_release(line: ReleaseLine, served: Served, *, back: bool) -> tuple[Act, ...]:
    """What can be done with a release as it stands now; `back` says whether there is something to roll back to."""
    name, on_trial, here = served.name, served.candidate == line.release, f"?back={line.number}"
    may_serve = line.stands in ("waits", "served", "previous")
    page, trial = f"/console/models/{name}", f"{_address(name, 'trial')}{here}&number={line.number}"
    possible = (
        may_serve and ("promote", "Promote…", f"{page}/releases/{line.number}/promotion{here}"),
        line.stands == "champion" and back and ("rollback", "Roll back…", f"{page}/rollback{here}"),
        may_serve and served.candidate is None and ("trial", "Try…", trial),
        on_trial and ("trial", "End trial…", _address(name, "end-trial") + here),
        on_trial and not served.canary_open and ("canary", "Open canary…", _address(name, "canary") + here),
    )
    return tuple(
        Act(key=OF_A_RELEASE[act[0]], title=act[1], address=act[2], grave=act[0] == "rollback")
        for act in possible
        if act
    )


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
        _act("rollout", "Rollout…", _rollout(now)),
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


def _rollout(now: ModelNow) -> str:
    """The page of the rollout that is under way, or of the flag that one begins with."""
    flag = now.rollouts[0].flag if now.rollouts else compose(now.served.name, Kind.AUTOMATED)
    return f"/console/rollouts/{flag}"


def _promotion(now: ModelNow) -> str:
    assert now.next is not None
    return f"/console/models/{now.served.name}/releases/{now.next.number}/promotion?back=operations"
