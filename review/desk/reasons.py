"""Reason codes: why a reviewer judged as they did. Pure. docs/desk.md lists them; a label schema may add its own."""

from gateway.labels import LabelSchema
from review.errors import VerdictRefused

REASONS: dict[str, str] = {
    "agrees": "The model's answer is right.",
    "wrong_answer": "The model's answer is wrong.",
    "judged_blind": "Judged without seeing the model's answer.",
    "input_unreadable": "The input cannot be read, is empty or is broken.",
    "input_ambiguous": "The input can be understood in more than one way.",
    "context_missing": "Something needed to judge is not in the input.",
    "outside_purpose": "The model was not made for this input.",
    "guideline_unclear": "The guideline does not say what is right here.",
    "not_my_field": "Somebody with other knowledge should judge it.",
    "sensitive": "It needs a lead: personal, legal or safety matters.",
    "other": "Something else; the rationale says what.",
}
"""The reasons that every model has, each with its meaning."""

USUAL = {
    "approve": "agrees",
    "correct": "wrong_answer",
    "unanswerable": "input_unreadable",
    "cannot_tell": "input_ambiguous",
    "escalate": "sensitive",
}
"""The reason that is meant when none is given, by the kind of the verdict."""


def reason_for(kind: str, given: str, schema: LabelSchema) -> str:
    """The reason code of a verdict: the one given, or the usual one. Raises: VerdictRefused."""
    code = given or USUAL[kind]
    if code not in REASONS and code not in schema.reasons:
        known = ", ".join([*REASONS, *schema.reasons])
        raise VerdictRefused(fault=f"reason_code '{code[:60]}' is not one of {known}.")
    return code
