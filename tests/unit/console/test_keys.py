"""The one table of the lane's keys."""

import pytest

from gateway.labels import Choice, LabelSchema
from review.console.keys import answer_keys, command_keys


def schema(*keys: str) -> LabelSchema:
    """A choice schema whose classes have these keys."""
    return LabelSchema(kind="choice", choices=tuple(Choice(value=f"class {i}", key=key) for i, key in enumerate(keys)))


@pytest.mark.parametrize("keys", [("1", "2"), ("x", "u"), ("", "1", ""), ("e", "t", "r", "?"), ("",) * 12])
def test_no_key_means_two_things(keys: tuple[str, ...]) -> None:
    """Whatever keys a label schema asks for, each key of a card does one thing."""
    labels = schema(*keys)
    pressed = [key.key for key in (*answer_keys(labels), *command_keys(labels)) if key.key]
    assert len(pressed) == len(set(pressed))


def test_classes_keep_the_keys_they_ask_for() -> None:
    """A class has the key of its label schema, and a command gives way with its capital."""
    labels = schema("u", "")
    assert [key.key for key in answer_keys(labels)] == ["u", "1"]
    assert next(key.key for key in command_keys(labels) if key.title == "Undo") == "U"


def test_a_written_answer_has_two_keys() -> None:
    """Where the answer is a number or a text, one key approves and one leads to the field."""
    assert [key.say for key in answer_keys(LabelSchema(kind="number"))] == ["approve", "number"]
