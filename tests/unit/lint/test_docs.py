"""docs/flags.md says what is found."""

import re
from pathlib import Path

from review.lint.finding import LEVELS

PAGE = (Path(__file__).parents[3] / "docs" / "flags.md").read_text()


def test_each_rule_is_described_with_its_level() -> None:
    """The page's table has a row for every rule, with its level."""
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (error|warning) \|", PAGE, re.MULTILINE))
    assert rows == LEVELS
