"""Whether an outcome contradicts what the caller was told before. Pure.

| the latest thing the caller was told              | contradicted by the new outcome when                    |
|---------------------------------------------------|----------------------------------------------------------|
| nothing, or only that a person is asked           | never                                                    |
| an outcome that had been released by then         | it differs from the new one                              |
| the model's own answer (automated or provisional) | it differs from the new one                              |
| the declared safe value                           | it differs from the new one                              |
| the fallback `refuse`: an error, no answer        | never: no answer was delivered                           |

An unanswerable outcome differs from every answer and from nothing else.
"""

import msgspec

from gateway.labels import Answer, LabelSchema
from gateway.policy import Policy


class TellingOf(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller was told about an item: an answer, or None when it was told that none is right."""

    answer: Answer | None


def told_about(
    kind: str | None, *, automated: bool, model_answer: Answer | None, policy: Policy, released: TellingOf | None
) -> TellingOf | None:
    """What a delivery of this kind said about the item; None when it said nothing about it.

    `released` is the outcome that had been released when the delivery was made.
    """
    if kind in ("answer", "refusal") and released is not None:
        return released
    if kind == "provisional" or (kind in (None, "answer") and automated):
        return TellingOf(answer=model_answer)
    if kind == "fallback" and policy.fallback == "safe_value":
        return TellingOf(answer=policy.safe_value)
    return None


def revises(told: TellingOf | None, answer: Answer | None, schema: LabelSchema) -> bool:
    """Whether an outcome with this answer contradicts what was told."""
    return told is not None and schema.differs(told.answer, answer)
