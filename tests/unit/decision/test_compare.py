"""Where two releases differ."""

import pytest

from gateway.compare import differing_items
from gateway.labels import Answer, LabelSchema
from tests.plans import make_card

TEXT = LabelSchema(kind="text", ignore_case=True)
NUMBER = LabelSchema(kind="number", tolerance=1.0)
CHOICE = make_card().labels


@pytest.mark.parametrize(
    ("schema", "one", "other", "differing"),
    [
        (CHOICE, ["negative", "neutral"], ["negative", "positive"], [2]),
        (CHOICE, ["negative", None], [None, None], [1]),
        (NUMBER, [1.0, 1.0, 5.0], [2.0, 2.5, 5.0], [2]),
        (TEXT, ["Yes", "no"], ["yes ", "yes"], [2]),
        (TEXT, [], [], []),
    ],
)
def test_differing_is_what_the_label_schema_says(
    schema: LabelSchema, one: list[Answer | None], other: list[Answer | None], differing: list[int]
) -> None:
    """Tolerance and case are the schema's; no answer differs from every answer and from no other silence."""
    assert differing_items(schema, one, other) == differing
