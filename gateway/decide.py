"""Decides which release answers a request on which path, and by which rule. Pure: the caller brings clock and flags.

Release: pinned (needs the scope `pin`) → candidate, if a trial's canary is open and its flag is on → champion.

| rule | when | path | who answers |
|---|---|---|---|
| `halted` | an operator halted the model | review | people, the fallback or nobody, as the halt says |
| `flags_unknown` | no flag state was ever loaded | review | as `policy.fail_mode` says; people by default |
| `flags_stale` | the state is older than `policy.stale_after_s` | review | the same |
| `automated_off` | `<model>.automated` is off for this context | review | people |
| `asked` | the caller asked for a person | review | people |
| `precedent` | people corrected an identical input before | automated | the correction |
| `automated` | otherwise | automated | the model |

The first row that holds wins. A path that stays automated is called shadow while a candidate runs beside it.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from flags.answer import FlagView
from gateway.decision import Asked, By, Decision, PayloadUse
from gateway.errors import Forbidden, NotFound
from gateway.plan import ModelPlan, PrecedentPlan, ReleasePlan
from gateway.policy import OVERRIDABLE, Policy

HALT_ANSWERS: dict[str, By] = {"review": "people", "fallback": "fallback", "refuse": "nobody"}
FAIL_ANSWERS: dict[str, By] = {"hold": "people", "automated": "model", "refuse": "nobody"}


class UnknownRelease(NotFound):
    """Model '{model}' has no release {release} that could answer now."""

    code = "unknown-release"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a decision rests on."""

    model: ModelPlan
    flags: FlagView
    flags_age_s: float
    asked: Asked
    may_pin: bool
    input_digest: str
    now_us: int


class _Rule(NamedTuple):
    name: str
    holds: Callable[[Question, ReleasePlan], bool]
    by: Callable[[Question, ReleasePlan], By]


_RULES = (
    _Rule("halted", lambda q, _: q.model.halt is not None, lambda q, _: HALT_ANSWERS[_halt_mode(q)]),
    _Rule("flags_unknown", lambda q, _: not q.flags.loaded, lambda _, r: FAIL_ANSWERS[r.policy.fail_mode]),
    _Rule(
        "flags_stale",
        lambda q, r: q.flags_age_s > r.policy.stale_after_s,
        lambda _, r: FAIL_ANSWERS[r.policy.fail_mode],
    ),
    _Rule("automated_off", lambda q, _: not q.flags.automated.enabled, lambda *_: "people"),
    _Rule("asked", lambda q, _: q.asked.review, lambda *_: "people"),
    _Rule("precedent", lambda q, r: precedent_for(q, r) is not None, lambda *_: "precedent"),
    _Rule("automated", lambda *_: True, lambda *_: "model"),
)


def decide(question: Question) -> Decision:
    """The decision for a request. Raises: Forbidden (no scope to pin), UnknownRelease (pinned, not in the plan)."""
    release = _release(question)
    rule = next(rule for rule in _RULES if rule.holds(question, release))
    by = rule.by(question, release)
    shadow = _shadow(question, release) if by in ("model", "precedent") else None
    policy, payload = overridden(release.policy, question.flags.automated.payload, release.name)
    return Decision(
        release=release,
        path="review" if by in ("people", "fallback", "nobody") else "shadow" if shadow else "automated",
        rule=rule.name,
        by=by,
        policy=policy,
        payload=payload,
        shadow_release=shadow,
        precedent=precedent_for(question, release) if by == "precedent" else None,
    )


def precedent_for(question: Question, release: ReleasePlan) -> PrecedentPlan | None:
    """The correction that people gave for an identical input, while it lasts."""
    found = question.model.precedents.get((release.label_schema_sha256, question.input_digest))
    return found if found is not None and found.expires_us > question.now_us else None


def overridden(policy: Policy, payload: str | None, release_name: str) -> tuple[Policy, PayloadUse]:
    """The policy with a flag payload's numbers, if the payload validates and names this release.

    A payload that does not, changes nothing and is reported as ignored; it may only override `OVERRIDABLE` fields.
    """
    if not payload:
        return policy, "none"
    try:
        numbers = msgspec.json.decode(payload, type=dict[str, object])
        named = numbers.pop("release", None)
        if named != release_name or not numbers.keys() <= OVERRIDABLE:
            return policy, "ignored"
        merged = msgspec.to_builtins(policy) | numbers
        return msgspec.convert(merged, Policy), "applied"
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        return policy, "ignored"


def _release(question: Question) -> ReleasePlan:
    model = question.model
    if question.asked.pinned is not None:
        if not question.may_pin:
            raise Forbidden(scope=f"pin:{model.name}")
        pinned = model.release(question.asked.pinned)
        if pinned is None:
            raise UnknownRelease(model=model.name, release=question.asked.pinned)
        return pinned
    if model.trial is not None and model.trial.canary_open and question.flags.candidate.enabled:
        return model.trial.candidate
    return model.champion


def _shadow(question: Question, answering: ReleasePlan) -> ReleasePlan | None:
    """The other release of the trial, while its shadow flag is on."""
    trial = question.model.trial
    if trial is None or not question.flags.shadow.enabled:
        return None
    other = question.model.champion if answering.id == trial.candidate.id else trial.candidate
    return other if other.id != answering.id else None


def _halt_mode(question: Question) -> str:
    halt = question.model.halt
    return halt.mode if halt is not None else "review"
