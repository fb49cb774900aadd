"""The three flags of a model."""

import pytest

from flags.errors import NotAModelFlag
from flags.names import Kind, compose, describe, of_model, parse


@pytest.mark.parametrize("kind", Kind)
def test_a_composed_name_parses_back(kind: Kind) -> None:
    """A flag's name tells its model and its kind."""
    assert parse(compose("loan-risk_2", kind)) == ("loan-risk_2", kind)


@pytest.mark.parametrize(
    "name",
    [
        "sentiment",
        "sentiment.on",
        "sentiment.automated.x",
        ".shadow",
        "Sentiment.shadow",
        "a b.shadow",
        "x.automated\n",
    ],
)
def test_any_other_name_is_refused(name: str) -> None:
    """A name that is not MODEL.KIND is refused with the three that would do."""
    with pytest.raises(NotAModelFlag, match=r"MODEL\.automated, MODEL\.shadow or MODEL\.candidate"):
        parse(name)


def test_a_model_has_three_flags() -> None:
    """A model's flags are automated, shadow and candidate."""
    assert of_model("digits").all() == ("digits.automated", "digits.shadow", "digits.candidate")


def test_a_description_tells_both_sides() -> None:
    """A description says what on means and what off means."""
    assert describe("digits.automated") == (
        "digits: on, answers go out without a person, subject to policy; off, every request is held for a person."
    )
