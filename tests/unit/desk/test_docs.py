"""docs/desk.md says what the code does: every transition, reason code, verdict and rule of a queue."""

from pathlib import Path

from msgspec import structs

from review.desk.life import TABLE, event_of
from review.desk.reasons import REASONS, USUAL
from review.store.queues import QueueRules

DOCS = (Path(__file__).parents[3] / "docs" / "desk.md").read_text(encoding="utf-8")


def test_every_transition_stands_in_the_table_with_its_event() -> None:
    """One row for each action, in the order of the data, naming the event that tells it."""
    rows = [row for row in DOCS.splitlines() if row.startswith("| ") and "`case." in row]
    assert [row.split(" | ")[0].strip("| ") for row in rows] == [transition.action for transition in TABLE]
    for row, transition in zip(rows, TABLE, strict=True):
        assert f"`{event_of(transition.action, transition.after[0])}`" in row


def test_every_reason_and_verdict_is_explained() -> None:
    """Each reason code stands with its meaning, and each verdict with the reason that is usual for it."""
    for code, meaning in REASONS.items():
        assert f"| `{code}` | {meaning} |" in DOCS
    for kind, code in USUAL.items():
        assert f"| `{kind}` |" in DOCS
        assert any(f"`{code}`" in line and f"`{kind}`" in line for line in DOCS.splitlines())


def test_every_rule_of_a_queue_is_explained() -> None:
    """Each field of a queue's rules has its default in the table."""
    for field in structs.fields(QueueRules):
        assert f"`{field.name}`" in DOCS
