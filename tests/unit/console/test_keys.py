"""The one table of the lane's keys."""

from uuid import UUID

import pytest

from gateway.labels import Choice, LabelSchema
from review.console.keys import answer_keys, command_keys
from review.desk.pair import pair_of


def schema(*keys: str) -> LabelSchema:
    """A choice schema whose classes have these keys."""
    return LabelSchema(kind="choice", choices=tuple(Choice(value=f"class {i}", key=key) for i, key in enumerate(keys)))


@pytest.mark.parametrize("keys", [("1", "2"), ("x", "u"), ("", "1", ""), ("e", "t", "r", "?"), ("",) * 12])
def test_no_key_means_two_things(keys: tuple[str, ...]) -> None:
    """Whatever keys a label schema asks for, each key of a card does one thing."""
    labels = schema(*keys)
    pressed = [key.key for key in (*answer_keys(labels), *command_keys(answer_keys(labels))) if key.key]
    assert len(pressed) == len(set(pressed))


def test_classes_keep_the_keys_they_ask_for() -> None:
    """A class has the key of its label schema, and a command gives way with its capital."""
    labels = schema("u", "")
    assert [key.key for key in answer_keys(labels)] == ["u", "1"]
    assert next(key.key for key in command_keys(answer_keys(labels)) if key.title == "Undo") == "U"


def test_a_written_answer_has_two_keys() -> None:
    """Where the answer is a number or a text, one key approves and one leads to the field."""
    assert [key.say for key in answer_keys(LabelSchema(kind="number"))] == ["approve", "number"]


@pytest.mark.parametrize(
    "keys", [("1", "2", "3"), ("f", "s", "n"), ("n", "s", "f"), ("b", "F", "S"), ("", "", "s", "S"), ("",) * 12]
)
def test_two_answers_leave_one_key_for_each_thing(keys: tuple[str, ...]) -> None:
    """Two answers have a key each, every other class says that neither is right, and no key means two things."""
    labels = schema(*keys)
    pair = pair_of(UUID(int=1), UUID(int=2), "class 0", {"other": "class 1"}, 0.25)
    answers = answer_keys(labels, pair)
    pressed = [key.key for key in (*answers, *command_keys(answers)) if key.key]
    assert len(pressed) == len(set(pressed))
    others = [f"neither:class {i}" for i in range(2, len(keys))]
    assert [key.say for key in answers] == ["first", "second", *others]


def test_two_written_answers_may_both_be_right() -> None:
    """Numbers and texts have a key for both; a side without an answer has none."""
    text = LabelSchema(kind="text")
    both = pair_of(UUID(int=1), UUID(int=2), "a", {"other": "b"}, 0.25)
    one = pair_of(UUID(int=1), UUID(int=2), "a", {}, 0.25)
    assert [key.say for key in answer_keys(text, both)] == ["first", "second", "both", "neither_text"]
    assert [key.say for key in answer_keys(text, one)] == ["first", "neither_text"]
