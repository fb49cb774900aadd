"""The rules of deploy/alerts.yml speak of metrics that Lockgate has, by labels that they have."""

import re
from pathlib import Path

import pytest

from gateway.metrics import INDEX
from tests.contracts.tables import import_everything

RULES = (Path(__file__).parents[2] / "deploy" / "alerts.yml").read_text(encoding="utf-8")
RULE = re.compile(r"- alert: (\w+)\n\s+expr: (.+)\n")
METRIC = re.compile(r"\b(lockgate_\w+)")
LABELS = re.compile(r"by \(([^)]*)\)|(\w+)=~?\"")


@pytest.mark.parametrize(("name", "expression"), RULE.findall(RULES))
def test_an_alert_is_about_something_that_is_counted(name: str, expression: str) -> None:
    """A rule that names no metric of ours, or a label that it lacks, would never ring."""
    import_everything()
    [metric] = METRIC.findall(expression)
    family = INDEX[metric]
    named = {label.strip() for one in LABELS.findall(expression) for label in (*one[0].split(","), one[1]) if label}
    assert named <= set(family.labels), name


def test_every_alert_is_looked_at() -> None:
    """No rule is written in a form that the test above overlooks, and the docs name each."""
    names = [name for name, _ in RULE.findall(RULES)]
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert len(names) == RULES.count("- alert:")
    assert [name for name in names if f"`{name}`" not in page] == []
