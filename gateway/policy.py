"""A release's declared numbers: what is held, audited and waited for, and what is said when nobody is there. Pure."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.labels import Answer

Probability = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]

WAIT_CAP_MAX_S = 50.0
"""Below the 60 s at which stock clients give up."""


class FieldRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Holds an item whose input meets a comparison, such as `amount > 100000`."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    input: str
    """The name of a scalar input tensor: one value an item."""
    op: Literal["<", "<=", ">", ">=", "==", "!="]
    value: float | str


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The range that an input had in training; outside of it the model was never tried."""

    minimum: float | None = None
    maximum: float | None = None


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a release does with its answers. Every field has a safe default; docs/policy.md explains each."""

    hold_below: Probability = 0.0
    """An item whose score is below this waits for a person."""
    hold_below_by_class: dict[str, Probability] = {}
    """The same, for items that the model answers with this class."""
    envelope: dict[str, Envelope] = {}
    """Ranges by input name; an item outside of one waits for a person."""
    field_rules: tuple[FieldRule, ...] = ()

    audit_rate: Probability = 0.02
    """The probability with which an automatic answer is checked by a person later."""
    audit_rate_under_pressure: Probability = 0.005
    """The same while the queue is beyond `pressure_at` of its capacity; lowered before the draw and recorded."""
    pressure_at: Probability = 0.8

    wait_cap_s: Annotated[float, Meta(ge=0, le=WAIT_CAP_MAX_S)] = 10.0
    fallback: Literal["refuse", "safe_value", "provisional"] = "refuse"
    """What a caller is told when nobody has judged in time."""
    safe_value: Answer | None = None
    provisional_after_s: Seconds = 5.0
    """The model's own answer may be told as provisional only after this long, and only for `provisional_rules`."""
    provisional_rules: tuple[str, ...] = ()

    max_open_holds: Annotated[int, Meta(ge=0)] = 1_000
    max_waiting_callers: Annotated[int, Meta(ge=0)] = 200
    overflow: Literal["refuse", "safe_value", "automated"] = "refuse"
    """What answers when there are too many holds: 503, the safe value, or the model."""
    overflow_sample: Probability = 0.05
    """The probability with which an item that overflowed still becomes a case."""

    fail_mode: Literal["hold", "automated", "refuse"] = "hold"
    """What happens while the flags are unknown or older than `stale_after_s`."""
    stale_after_s: Seconds = 300.0
    unrecorded: Literal["refuse", "answer"] = "refuse"
    """What happens to automated requests while the disk is too full to record them."""

    capture: Probability = 1.0
    """The share of automated predictions whose input and output are kept as payload objects."""
    retention_days: Annotated[int, Meta(ge=1)] = 90
    precedent_days: Annotated[int, Meta(ge=0)] = 30


OVERRIDABLE = frozenset({"hold_below", "hold_below_by_class", "audit_rate", "wait_cap_s", "max_open_holds"})
"""The numbers that a flag's variant payload may override for a context."""


def policy_fault(policy: Policy) -> str | None:
    """What contradicts itself in a policy, as a sentence; None when nothing does."""
    if "safe_value" in (policy.fallback, policy.overflow) and policy.safe_value is None:
        return "policy.safe_value is missing, and fallback or overflow is 'safe_value'."
    if policy.fallback == "provisional" and not policy.provisional_rules:
        return "policy.provisional_rules is empty, so a 'provisional' fallback could never be told."
    never = sorted({"halted", "flags_stale", "flags_unknown"} & set(policy.provisional_rules))
    if never:
        return f"policy.provisional_rules may not name {', '.join(never)}: no outage may skip the person."
    if policy.audit_rate_under_pressure > policy.audit_rate:
        return "policy.audit_rate_under_pressure is above policy.audit_rate."
    return None
