"""Metrics: rendered as Prometheus reads them, merged over processes, and each one used."""

import ast
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway import metrics

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> dict[str, metrics.Family]:
    """An index of a test's own."""
    own: dict[str, metrics.Family] = {}
    monkeypatch.setattr(metrics, "INDEX", own)
    return own


def test_what_is_counted_is_what_prometheus_reads(index: dict[str, metrics.Family]) -> None:
    """A counter, a gauge and a histogram come out as its own parser understands them, escapes included."""
    count = metrics.Counter("a_total", "Things.", ("kind",))
    metrics.Gauge("b", "Now.").put(2.5)
    histogram = metrics.Histogram("c_seconds", "Took.", ("job",), bounds=(0.1, 1.0))
    count.add('we"ird\n\\', by=3)
    for seconds in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(seconds, "x")
    families = {family.name: family for family in text_string_to_metric_families(metrics.render("gateway-1"))}
    (sample,) = families["a"].samples
    assert (sample.labels, sample.value) == ({"kind": 'we"ird\n\\', "process": "gateway-1"}, 3.0)
    assert families["b"].samples[0].value == 2.5
    values = {(one.name, one.labels.get("le")): one.value for one in families["c_seconds"].samples}
    assert [values["c_seconds_bucket", bound] for bound in ("0.1", "1", "+Inf")] == [2, 3, 4]
    assert (values["c_seconds_count", None], values["c_seconds_sum", None]) == (4, pytest.approx(7.65))


def test_processes_are_one_text_with_each_family_once(index: dict[str, metrics.Family]) -> None:
    """Samples of several processes stand together under one heading."""
    metrics.Counter("a_total", "Things.").add()
    metrics.Gauge("b", "Now.").put(1)
    merged = metrics.merge([metrics.render("one"), metrics.render("two")])
    assert merged.count("# TYPE") == 2
    (count, _) = text_string_to_metric_families(merged)
    assert {sample.labels["process"] for sample in count.samples} == {"one", "two"}


def test_every_metric_of_the_index_is_emitted_somewhere() -> None:
    """A metric that no code touches is not in the index."""
    declared = {
        target.id: node.value.args[0].value
        for node in ast.parse((ROOT / "gateway" / "metrics.py").read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.args[0], ast.Constant)
    }
    assert set(declared.values()) == set(metrics.INDEX)
    assert set(declared) - _names_used() == set()


def _names_used() -> set[str]:
    """Every metric that the product's modules import, or reach through the module."""
    found: set[str] = set()
    for package in ("gateway", "review", "lockgate"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and node.module == "gateway.metrics":
                    found |= {name.name for name in node.names}
                elif (
                    isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "metrics"
                ):
                    found.add(node.attr)
    return found
