"""The load tests run, and their budgets mean something."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.budgets import Budget, broken
from loadtests.report import Line, Run, page

BUDGET = Budget(failures=0.1, p99_ms=100.0, requests_min=5)
LINE = Line(name="ask", requests=10, failures=1, p50_ms=10.0, p95_ms=50.0, p99_ms=100.0)
RUN = Run(users=1, seconds=1, lines=(LINE,), history=(), failures=())


def test_everybody_at_work_at_once(tmp_path: Path) -> None:
    """Services, reviewers and an operator who promotes and rolls back work at once: nothing fails, all is reported.

    How long things take is the business of a run on its own, not of one beside other tests.
    """
    report = tmp_path / "load.html"
    words = ["--users", "6", "--seconds", "15", "--report", str(report)]
    done = subprocess.run(
        [sys.executable, "-m", "loadtests", *words], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert {"answered by the model", "answered by a person", "verdict", "promote", "roll back"} <= figures.keys()
    assert [name for name, figure in figures.items() if figure["failures"]] == [], done.stdout
    assert all(name in report.read_text() for name in figures)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        pytest.param(LINE, "", id="kept to the letter"),
        pytest.param(replace(LINE, failures=2), "2 of 10 failed", id="too many failures"),
        pytest.param(replace(LINE, p99_ms=101.0), "p99 of 101 ms", id="too slow"),
        pytest.param(replace(LINE, requests=4, failures=0), "4 requests, at least 5", id="too few"),
        pytest.param(replace(LINE, name="other"), "'other' has no budget", id="unknown"),
    ],
)
def test_a_broken_budget_is_said(line: Line, says: str) -> None:
    """Each limit that is passed is a sentence, and a run that shows nothing keeps no budget."""
    reasons = broken(replace(RUN, lines=(line,)), {"ask": BUDGET})
    assert any(says in reason for reason in reasons) if says else reasons == []


def test_the_report_shows_text_as_text() -> None:
    """What a server said in a failure is shown, never run."""
    failed = replace(RUN, failures=(("ask", "<script>alert(1)</script>", 3),))
    assert "<script>" not in page(failed, ["'ask': <b>slow</b>"])
