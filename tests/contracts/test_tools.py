"""The tools of the repository do what their pages say."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.case import Case

ROOT = Path(__file__).resolve().parents[2]
TARGETS = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_targets_are_documented() -> None:
    """docs/development.md has a line for each target of the Makefile but `help`."""
    page = (ROOT / "docs" / "development.md").read_text()
    assert re.findall(r"^\| `make ([a-z]+)` \|", page, re.MULTILINE) == [name for name in TARGETS if name != "help"]


def test_the_benchmarks_end_with_one_object() -> None:
    """Whatever ran, the last line of `python -m tests.bench` is one JSON object; an unknown case is refused by name."""
    done = subprocess.run([sys.executable, "-m", "tests.bench", "--list"], cwd=ROOT, check=True, capture_output=True)
    assert isinstance(json.loads(done.stdout.splitlines()[-1]), dict)
    refused = subprocess.run(
        [sys.executable, "-m", "tests.bench", "absent"], cwd=ROOT, capture_output=True, check=False
    )
    assert refused.returncode == 2
    assert b"no such case: absent" in refused.stderr


@pytest.mark.parametrize(
    ("better", "goal", "value", "met"),
    [
        pytest.param("lower", 20.0, 20.0, True, id="at the goal"),
        pytest.param("lower", 20.0, 20.1, False, id="above where lower is better"),
        pytest.param("higher", 0.7, 0.6, False, id="below where higher is better"),
        pytest.param("lower", None, 1e9, True, id="a baseline has no goal to miss"),
    ],
)
def test_a_goal_is_met_in_its_direction(better: str, goal: float | None, value: float, met: bool) -> None:
    """A case meets its goal from the side that its direction says."""
    case = Case(name="x", what="x", better=better, goal=goal, measure=lambda: value)  # type: ignore[arg-type]
    assert case.met(value) is met
