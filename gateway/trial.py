"""How the ledger keeps what a trial asks people: the rule of its cases, and where the other answer stands. Pure."""

from uuid import UUID

OTHER = "other"
"""In the evidence of a disagreement: what the release in the shadow says; left out where it gave no answer."""


def trial_rule(trial_id: UUID | str) -> str:
    """The rule that puts a trial's disagreements before people."""
    return f"trial:{trial_id}"
