"""Whether a release only raises human control, so that it may go live at once, without a gate. Pure.

Beside the champion, with the overrides of both applied:

| what | raised or kept | lowered |
|---|---|---|
| version, label schema | the same | any other |
| guideline | any: it tells people how to judge and lets no answer past them | |
| `hold_below`, also for each class that either names | not below the champion's | below it |
| `envelope` | every range kept or narrower | wider, or gone |
| `field_rules` | every rule kept | one gone or changed |
| `audit_rate`, `audit_rate_under_pressure`, `pressure_at` | not below | below |
| `wait_cap_s`, `provisional_after_s` | not below | below |
| `max_open_holds`, `max_waiting_callers`, `overflow_sample` | not below | below |
| `provisional_rules` | a part of them | one more |
| `fallback`, `overflow` | towards `refuse`, by way of `safe_value` | away from it |
| `fail_mode` | towards `hold`, by way of `refuse` | away from it |
| `unrecorded` | towards `refuse` | towards `answer` |
| `stale_after_s` | not above | above |
| `safe_value`, `precedent_days` | the same | any other |
| `capture`, `retention_days` | not below | below |
"""

import math
from collections.abc import Iterator

from gateway.plan import ReleasePlan
from gateway.policy import Envelope, Policy

NOT_BELOW = (
    "hold_below", "audit_rate", "audit_rate_under_pressure", "pressure_at", "wait_cap_s", "provisional_after_s",
    "max_open_holds", "max_waiting_callers", "overflow_sample", "capture", "retention_days",
)  # fmt: skip
NOT_ABOVE = ("stale_after_s",)
UNCHANGED = ("safe_value", "precedent_days")
LADDERS = {
    "fallback": ("provisional", "safe_value", "refuse"),
    "overflow": ("automated", "safe_value", "refuse"),
    "fail_mode": ("automated", "refuse", "hold"),
    "unrecorded": ("answer", "refuse"),
}
"""From the least to the most human control."""


def lowered_control(champion: ReleasePlan, release: ReleasePlan) -> tuple[str, ...]:
    """Each way in which a release does not only raise human control, as a sentence; none when it may go at once."""
    return tuple(_of_release(champion, release)) + tuple(_of_policy(champion.policy, release.policy))


def _of_release(champion: ReleasePlan, release: ReleasePlan) -> Iterator[str]:
    if champion.version != release.version:
        yield f"It is version {release.version}, and version {champion.version} serves."
    if champion.label_schema_sha256 != release.label_schema_sha256:
        yield "Its label schema is another one."


def _of_policy(was: Policy, shall: Policy) -> Iterator[str]:
    for name in NOT_BELOW:
        if getattr(shall, name) < getattr(was, name):
            yield _sentence(name, "falls", was, shall)
    for name in NOT_ABOVE:
        if getattr(shall, name) > getattr(was, name):
            yield _sentence(name, "grows", was, shall)
    for name in UNCHANGED:
        if getattr(shall, name) != getattr(was, name):
            yield _sentence(name, "changes", was, shall)
    for name, ladder in LADDERS.items():
        if ladder.index(getattr(shall, name)) < ladder.index(getattr(was, name)):
            yield _sentence(name, "lets more pass", was, shall)
    yield from _of_classes(was, shall)
    yield from _of_ranges(was, shall)
    yield from (
        f"policy.field_rules no longer has '{rule.name}' as it was."
        for rule in was.field_rules
        if rule not in shall.field_rules
    )
    for rule in sorted(set(shall.provisional_rules) - set(was.provisional_rules)):
        yield f"policy.provisional_rules names '{rule}', too."


def _of_classes(was: Policy, shall: Policy) -> Iterator[str]:
    for name in sorted(was.hold_below_by_class.keys() | shall.hold_below_by_class.keys()):
        before = was.hold_below_by_class.get(name, was.hold_below)
        after = shall.hold_below_by_class.get(name, shall.hold_below)
        if after < before:
            yield f"The class '{name}' is held below {after:g} instead of {before:g}."


def _of_ranges(was: Policy, shall: Policy) -> Iterator[str]:
    for name, before in sorted(was.envelope.items()):
        after = shall.envelope.get(name)
        if after is None or _low(after) < _low(before) or _high(after) > _high(before):
            yield f"policy.envelope of '{name}' is wider or gone."


def _low(envelope: Envelope) -> float:
    return -math.inf if envelope.minimum is None else envelope.minimum


def _high(envelope: Envelope) -> float:
    return math.inf if envelope.maximum is None else envelope.maximum


def _sentence(name: str, verb: str, was: Policy, shall: Policy) -> str:
    return f"policy.{name} {verb}: {getattr(was, name)} -> {getattr(shall, name)}."
