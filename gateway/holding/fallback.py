"""What a caller is told when nobody has judged in time. Pure.

| declared | told |
|---|---|
| `refuse` | 503 with the prediction's URL |
| `safe_value` | 200 with the safe value in every held item |
| `provisional` | the model's own answer, if all of the following hold, else 503 |

Provisional needs that `provisional_after_s` have passed since the decision, that the policy lists the rule of every
held item, that none of them is a halt or a matter of stale flags, and that the numbers of the answer are finite. So no
caller and no outage can skip the person: a shorter wait only brings the refusal sooner.
"""

from collections.abc import Collection
from typing import Literal

from gateway.policy import Policy

Fallback = Literal["refusal", "fallback", "provisional"]
"""The kinds of delivery that a fallback can be."""

NEVER_PROVISIONAL = frozenset({"halted", "flags_unknown", "flags_stale"})


def fallback_of(policy: Policy, rules: Collection[str], *, waited_s: float, finite: bool = True) -> Fallback:
    """The kind of fallback for held items under these rules after so many seconds."""
    if policy.fallback == "safe_value" and policy.safe_value is not None:
        return "fallback"
    if policy.fallback == "provisional" and finite and waited_s >= policy.provisional_after_s:
        return "provisional" if rules and all(_listed(rule, policy) for rule in rules) else "refusal"
    return "refusal"


def _listed(rule: str, policy: Policy) -> bool:
    """Whether the policy lists the rule, or for a field rule all of its kind."""
    kind = rule.partition(":")[0]
    return kind not in NEVER_PROVISIONAL and bool({rule, kind} & set(policy.provisional_rules))
