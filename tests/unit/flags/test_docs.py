"""docs/flags.md shows what works."""

import re
from pathlib import Path

import pytest

from flags.conditions import KNOWN_OPERATORS
from flags.definitions import State, feature_from, segment_from, state_from, with_feature, with_segment
from flags.validation import KNOWN_STRATEGIES, validated

PAGE = (Path(__file__).parents[3] / "docs" / "flags.md").read_text()
FLAG, STATE = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


def test_the_state_shown_is_valid() -> None:
    """The state that the page shows can be put in force."""
    assert validated(state_from(STATE.encode()))


def test_the_flag_shown_is_valid() -> None:
    """The flag that the page shows can be put in force, beside the segment that it refers to."""
    state = with_segment(State(), segment_from(b'{"constraints": []}', 1))
    assert validated(with_feature(state, feature_from(FLAG.encode(), "sentiment.automated")))


@pytest.mark.parametrize("name", [*KNOWN_OPERATORS, *KNOWN_STRATEGIES])
def test_each_operator_and_strategy_is_described(name: str) -> None:
    """The page's tables have a row for every operator and strategy."""
    assert re.search(rf"^\|.*`{name}`.*\|", PAGE, re.MULTILINE)
