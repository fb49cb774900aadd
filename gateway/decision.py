"""The values that a request becomes on its way: what was asked, what was decided, what was settled. Pure."""

from typing import Literal

import msgspec

from gateway.labels import Answer
from gateway.plan import PrecedentPlan, ReleasePlan
from gateway.policy import Policy

PathName = Literal["automated", "shadow", "review"]
By = Literal["model", "precedent", "people", "fallback", "nobody"]
"""Who answers: the model, an earlier correction, people, the declared fallback at once, or nobody (503)."""
PayloadUse = Literal["none", "applied", "ignored"]
Overflow = Literal["refuse", "safe_value", "automated"]

PUBLIC_RULES = {
    "halted": "halted",
    "flags_unknown": "flags_unavailable",
    "flags_stale": "flags_unavailable",
    "automated_off": "review_on",
    "asked": "requested",
    "precedent": "precedent",
    "automated": "automated",
    "no_score": "low_confidence",
    "below_threshold": "low_confidence",
    "outside_envelope": "unusual_input",
    "not_finite": "invalid_answer",
    "unknown_answer": "invalid_answer",
    "field_rule": "needs_review",
    "queue_full": "queue_full",
}
"""What callers are told instead of the internal name of a rule; a field rule is `field_rule:<name>` inside."""


def public_rule(rule: str) -> str:
    """The name of a rule as callers see it."""
    return PUBLIC_RULES[rule.partition(":")[0]]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller asked for beside the answer itself (WIRE.md §3)."""

    wait_s: float | None = None
    """The caller's own limit on waiting, already the least of all that were sent."""
    within_s: float | None = None
    """What is left until the caller gives up by itself, if it said so; the model's own server is told."""
    respond_async: bool = False
    review: bool = False
    """True when the caller asks for a person."""
    pinned: int | None = None
    """The release number asked for; needs the scope `pin`."""
    idempotency_key: str | None = None
    request_id: str | None = None
    applied: str = ""
    """What `Preference-Applied` says."""
    binary: tuple[str, ...] = ()
    """The outputs that the caller takes as binary data."""
    context: tuple[str, ...] = ()
    """The headers that tell the flags something of the user, not read yet."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Which release answers on which path, and by which rule."""

    release: ReleasePlan
    path: PathName
    rule: str
    by: By
    policy: Policy
    """The release's policy with the numbers of the flag's payload, where that names this release."""
    payload: PayloadUse = "none"
    shadow_release: ReleasePlan | None = None
    precedent: PrecedentPlan | None = None


class SettledItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a prediction after settling."""

    item: int
    """From 1 to n."""
    held: bool
    rule: str
    evidence: dict[str, float | str]
    """The rule's numbers, such as `{"score": 0.41, "hold_below": 0.6}`."""
    answer: Answer | None
    score: float | None
    audit_probability: float = 0.0
    audit_draw: float = 1.0
    unfit: str | None = None
    """The rule that holds it whatever its score, were no other; empty for none, None where nobody looked."""

    @property
    def audited(self) -> bool:
        """Whether the draw selected this item for a later check by a person."""
        return not self.held and self.audit_draw < self.audit_probability


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction after settling: the path may have turned into review; both rules are kept."""

    path: PathName
    rule: str
    items: tuple[SettledItem, ...]
    overflow: Overflow | None = None
    """What answers instead of people, because too many holds are open or too many callers wait."""

    @property
    def held(self) -> tuple[SettledItem, ...]:
        """The items that wait for a person."""
        return tuple(item for item in self.items if item.held)
